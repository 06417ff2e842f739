// Serves scimmy-routers from memory, as its documentation has it: a Map by id, filtered by scimmy's own filter.
// The port is the only argument; node finds the packages through the working directory.

import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";

const require = createRequire(`${process.cwd()}/`);
const load = (name) => require(name).default ?? require(name);
const [express, SCIMMY, SCIMMYRouters] = ["express", "scimmy", "scimmy-routers"].map(load);

const users = new Map();
const userNames = new Set();

SCIMMY.Resources.declare(SCIMMY.Resources.User, {
    egress: (resource) => {
        if (resource.id) {
            const user = users.get(resource.id);
            if (!user) throw new SCIMMY.Types.Error(404, null, `there is no user ${resource.id}`);
            return user;
        }
        const all = [...users.values()];
        return resource.filter ? resource.filter.match(all) : all;
    },
    ingress: (resource, instance) => {
        const id = resource.id ?? randomUUID();
        const now = new Date();
        const known = users.get(id);
        if (!known && userNames.has(instance.userName)) {
            throw new SCIMMY.Types.Error(409, "uniqueness", "the userName is taken");
        }
        userNames.add(instance.userName);
        const meta = { created: known?.meta.created ?? now, lastModified: now };
        const user = { ...JSON.parse(JSON.stringify(instance)), id, meta };
        users.set(id, user);
        return user;
    },
    degress: (resource) => {
        userNames.delete(users.get(resource.id)?.userName);
        users.delete(resource.id);
    },
});

const routers = new SCIMMYRouters({ type: "bearer", handler: () => "bench" });
express().use("/scim/v2", routers).listen(Number(process.argv[2]), "127.0.0.1");
