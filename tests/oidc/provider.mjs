// An OpenID Provider that we did not write: oidc-provider, on a free port of this machine. Its only argument is where
// people who sign in are sent back to. It is run from the folder in which it is installed, prints its issuer identifier
// once it listens, and ends with its standard input.
//
//   POST /keys/add       a new key signs, and the old ones stay published
//   POST /keys/replace   a new key signs, and the old ones are gone

import { generateKeyPairSync, randomUUID, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// What Node.js 18, which Debian has, lacks.
globalThis.crypto ??= webcrypto;
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);

const installed = createRequire(`${process.cwd()}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(installed));

function key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

const machine = (id) => ({
  client_id: id,
  client_secret: `${id}-secret`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
});

const operators = {
  client_id: 'operators',
  client_secret: 'operators-secret',
  grant_types: ['authorization_code'],
  redirect_uris: [process.argv[2] ?? 'https://people.example.com/sign-in/callback'],
  response_types: ['code'],
};

function provider(issuer, keys) {
  return new Provider(issuer, {
    clients: [machine('hris'), machine('stranger'), operators],
    jwks: { keys },
    pkce: { required: () => true },
    claims: { openid: ['sub', 'roles'], profile: ['name'] },
    // Who signs in is who they say; admin has a role, and so do the names that begin with it.
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} of the roll`, roles: id.startsWith('admin') ? ['people-admin'] : [] }),
    }),
    conformIdTokenClaims: false,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_, resource) => ({
          scope: 'scim',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    cookies: { keys: [randomUUID()] },
    ttl: { ClientCredentials: 3600 },
  });
}

let keys = [key()];
let answer;
const server = createServer((request, response) => {
  const change = { 'POST /keys/add': () => [key(), ...keys], 'POST /keys/replace': () => [key()] };
  const changed = change[`${request.method} ${request.url}`];
  if (!changed) return answer(request, response);
  keys = changed();
  answer = provider(issuer, keys).callback();
  return response.writeHead(204).end();
});
let issuer;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer, keys).callback();
  console.log(issuer);
  console.log = console.info = console.error; // nobody reads standard output any more
});
process.stdin.on('end', () => process.exit(0)).resume();
