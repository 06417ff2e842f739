//! The tables as diesel sees them: the same on both databases.

diesel::table! {
    tenant (id) { id -> Integer, name -> Text, }
}
diesel::table! {
    setting (name) { name -> Text, value -> Binary, }
}
diesel::table! {
    resource (id) {
        id -> BigInt,
        tenant -> Integer,
        uuid -> Binary,
        kind -> SmallInt,
        account -> Bool,
        version -> BigInt,
        created -> BigInt,
        modified -> BigInt,
        document -> Text,
        display -> Nullable<Text>,
        members -> BigInt,
        modified_open -> BigInt,
    }
}
diesel::table! {
    policy (tenant, version) {
        tenant -> Integer,
        version -> BigInt,
        applied -> BigInt,
        actor -> Text,
        reason -> Nullable<Text>,
        body -> Binary,
    }
}
diesel::table! {
    break_glass (id) {
        id -> Binary,
        tenant -> Integer,
        client -> Text,
        purpose -> Text,
        minutes -> Integer,
        reason -> Text,
        requested -> BigInt,
        requested_by -> Text,
        approved_by -> Nullable<Text>,
        until -> Nullable<BigInt>,
        changes -> BigInt,
    }
}
diesel::table! {
    token (jti) {
        jti -> Binary,
        tenant -> Integer,
        client -> Text,
        issued -> BigInt,
        issued_by -> Text,
        expires -> BigInt,
        revoked -> Nullable<BigInt>,
        revoked_by -> Nullable<Text>,
        warned -> Integer,
        changes -> BigInt,
    }
}
diesel::table! {
    import_job (tenant, system, file, mapping) {
        tenant -> Integer,
        system -> Text,
        file -> Binary,
        mapping -> Binary,
        name -> Text,
        previous -> BigInt,
        position -> BigInt,
        created -> BigInt,
        joined -> BigInt,
        changed -> BigInt,
        unchanged -> BigInt,
        rejected -> BigInt,
        done -> Bool,
        started -> BigInt,
        touched -> BigInt,
    }
}
diesel::table! {
    source_record (id) {
        id -> BigInt,
        resource -> BigInt,
        origin -> BigInt,
        system -> Text,
        external_id -> Nullable<Text>,
        first_seen -> BigInt,
        last_synced -> BigInt,
        claims -> Text,
    }
}
diesel::table! {
    attribute_path (id) { id -> Integer, tenant -> Integer, kind -> SmallInt, name -> Text, }
}
diesel::table! {
    attribute_index (resource, path, element, value) {
        resource -> BigInt,
        path -> Integer,
        element -> Integer,
        value -> Text,
        whole -> Nullable<Text>,
    }
}
diesel::table! {
    unique_beside (tenant, path, value, resource) {
        tenant -> Integer,
        path -> Integer,
        value -> Text,
        resource -> BigInt,
    }
}
diesel::table! {
    unique_value (tenant, path, value) {
        tenant -> Integer,
        path -> Integer,
        value -> Text,
        resource -> BigInt,
    }
}
diesel::table! {
    group_member (grp, member) { grp -> BigInt, member -> BigInt, }
}
diesel::table! {
    tenant_key (tenant) { tenant -> Integer, kek -> Text, wrapped -> Binary, }
}
diesel::table! {
    person_key (resource) { resource -> BigInt, wrapped -> Binary, }
}
diesel::table! {
    blind_index (path, value, resource) { path -> Integer, value -> Binary, resource -> BigInt, }
}
diesel::table! {
    blocking_key (value, resource) { value -> BigInt, resource -> BigInt, }
}
diesel::table! {
    match_trace (subject, candidate) {
        subject -> BigInt,
        candidate -> BigInt,
        decided -> BigInt,
        body -> Binary,
    }
}
diesel::table! {
    alias (tenant, uuid) {
        tenant -> Integer,
        uuid -> Binary,
        survivor -> BigInt,
        origin -> BigInt,
        version -> BigInt,
        created -> BigInt,
        groups -> Text,
    }
}
diesel::table! {
    cannot_link (tenant, one, other) { tenant -> Integer, one -> Binary, other -> Binary, }
}
diesel::table! {
    matching_model (tenant, name, version) {
        tenant -> Integer,
        name -> Text,
        version -> BigInt,
        created -> BigInt,
        actor -> Text,
        body -> Text,
    }
}
diesel::table! {
    known_apart (tenant, one, other) {
        tenant -> Integer,
        one -> BigInt,
        other -> BigInt,
        evidence -> Text,
    }
}
diesel::table! {
    withheld (tenant, subject, holder, system) {
        tenant -> Integer,
        subject -> Binary,
        holder -> Binary,
        system -> Text,
        noted -> BigInt,
    }
}
diesel::table! {
    brake (tenant, client, act) { tenant -> Integer, client -> Text, act -> Text, state -> Text, }
}
diesel::table! {
    acknowledged (tenant, client, position) {
        tenant -> Integer,
        client -> Text,
        position -> BigInt,
        at -> BigInt,
    }
}
diesel::table! {
    integration (tenant, client) {
        tenant -> Integer,
        client -> Text,
        position -> Nullable<BigInt>,
        asked -> Nullable<BigInt>,
        wrote -> Nullable<BigInt>,
    }
}
diesel::table! {
    policy_approval (tenant, digest) {
        tenant -> Integer,
        digest -> Binary,
        client -> Text,
        reason -> Text,
        approved -> BigInt,
    }
}
diesel::table! {
    refused_write (id) {
        id -> Binary,
        tenant -> Integer,
        digest -> Binary,
        client -> Text,
        system -> Text,
        route -> Text,
        resource_type -> Text,
        status -> SmallInt,
        scim_type -> Nullable<Text>,
        detail -> Text,
        correlation -> Text,
        body -> Nullable<Binary>,
        first_seen -> BigInt,
        last_seen -> BigInt,
        count -> BigInt,
        resolved -> Nullable<BigInt>,
        resolved_by -> Nullable<Text>,
        note -> Nullable<Text>,
    }
}
diesel::table! {
    refold (tenant) {
        tenant -> Integer,
        version -> BigInt,
        position -> BigInt,
        looked -> BigInt,
        changed -> BigInt,
        skipped -> BigInt,
        finished -> Nullable<BigInt>,
    }
}
diesel::table! {
    record_count (tenant, kind, account, shard) {
        tenant -> Integer,
        kind -> SmallInt,
        account -> Bool,
        shard -> SmallInt,
        n -> BigInt,
    }
}
diesel::table! {
    event (seq) {
        seq -> BigInt,
        id -> Binary,
        tenant -> Integer,
        #[sql_name = "type"]
        type_ -> Text,
        resource_type -> Text,
        resource -> Binary,
        version -> Nullable<BigInt>,
        recorded -> BigInt,
        client -> Text,
        correlation -> Text,
        format -> SmallInt,
        key_id -> Text,
        body -> Binary,
        purpose -> Nullable<Text>,
        attributes -> Nullable<Text>,
        person -> Nullable<Binary>,
        application -> Nullable<Binary>,
    }
}
diesel::table! {
    event_subject (tenant, subject, event) {
        tenant -> Integer,
        subject -> Binary,
        event -> Binary,
    }
}

diesel::table! {
    session (hash) {
        hash -> Binary,
        tenant -> Integer,
        issuer -> Text,
        subject -> Text,
        name -> Text,
        client -> Text,
        opened -> BigInt,
        seen -> BigInt,
    }
}
diesel::table! {
    idempotency (id) {
        id -> BigInt,
        tenant -> Integer,
        key -> Binary,
        fingerprint -> Binary,
        turn -> BigInt,
        state -> SmallInt,
        lease -> BigInt,
        expires -> BigInt,
        resource -> Nullable<Binary>,
        came -> Nullable<SmallInt>,
        progress -> Nullable<Text>,
        answer -> Nullable<Binary>,
    }
}
diesel::table! {
    idempotency_name (request, name) { request -> BigInt, name -> Binary, }
}
diesel::table! {
    log_leaf (tenant, position) {
        tenant -> Integer,
        position -> BigInt,
        seq -> BigInt,
        event -> Binary,
        hash -> Binary,
    }
}
diesel::table! {
    log_node (tenant, level, position) {
        tenant -> Integer,
        level -> SmallInt,
        position -> BigInt,
        hash -> Binary,
    }
}
diesel::table! {
    log_tree (tenant) { tenant -> Integer, size -> BigInt, peaks -> Binary, }
}
diesel::table! {
    log_head (tenant, size) {
        tenant -> Integer,
        size -> BigInt,
        root -> Binary,
        at -> BigInt,
        signature -> Binary,
    }
}
diesel::table! {
    log_horizon (id) { id -> SmallInt, seq -> BigInt, }
}

diesel::allow_tables_to_appear_in_same_query!(event, log_leaf);
diesel::allow_tables_to_appear_in_same_query!(acknowledged, log_leaf);
diesel::allow_tables_to_appear_in_same_query!(alias, resource);
diesel::allow_tables_to_appear_in_same_query!(unique_beside, unique_value);
diesel::allow_tables_to_appear_in_same_query!(idempotency, idempotency_name);
diesel::allow_tables_to_appear_in_same_query!(
    resource,
    source_record,
    group_member,
    event,
    event_subject,
    attribute_index,
    unique_value
);
