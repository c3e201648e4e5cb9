//! The tables as diesel sees them. A test compares this file with the migrated database.

diesel::table! {
    users (id) { id -> BigInt, username -> Text, password_hash -> Text, role -> Text, created -> Timestamptz, }
}
diesel::table! {
    sessions (token_hash) { token_hash -> Binary, user_id -> BigInt, created -> Timestamptz, expires -> Timestamptz, }
}
diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        role -> Text,
        token_hash -> Binary,
        created -> Timestamptz,
        expires -> Timestamptz,
        last_used -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    instances (id) {
        id -> BigInt,
        instance_type -> Text,
        name -> Text,
        domain -> Text,
        settings -> Jsonb,
        version -> BigInt,
        created -> Timestamptz,
        modified -> Timestamptz,
        next_app_server_number -> Integer,
        active_app_server_id -> Nullable<BigInt>,
        fallback_app_server_id -> Nullable<BigInt>,
        routing_generation -> BigInt,
        routing_applied_generation -> BigInt,
    }
}
diesel::table! {
    instance_hostnames (hostname) { hostname -> Text, instance_id -> BigInt, }
}
diesel::table! {
    servers (id) {
        id -> BigInt,
        name -> Text,
        provider -> Text,
        provider_id -> Nullable<Text>,
        status -> Text,
        public_ip -> Nullable<Text>,
        ssh_address -> Nullable<Text>,
        http_address -> Nullable<Text>,
        host_key -> Nullable<Text>,
        boot_marker -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
    }
}
diesel::table! {
    app_servers (id) {
        id -> BigInt,
        instance_id -> BigInt,
        server_id -> BigInt,
        number -> Integer,
        name -> Text,
        settings -> Jsonb,
        variables -> Jsonb,
        playbooks -> Jsonb,
        variable_references -> Jsonb,
        requested_by -> Text,
        reason -> Nullable<Text>,
        created -> Timestamptz,
        status -> Text,
        failure -> Nullable<Text>,
        modified -> Timestamptz,
    }
}
diesel::table! {
    app_server_pins (app_server_id, repository, version) {
        app_server_id -> BigInt,
        repository -> Text,
        version -> Text,
        commit -> Nullable<Text>,
    }
}
diesel::table! {
    builds (app_server_id) {
        app_server_id -> BigInt,
        step -> Nullable<Text>,
        playbook -> Integer,
        run -> Integer,
        spool_events -> BigInt,
        spool_errors -> BigInt,
        tasks_before -> Integer,
        tasks_done -> Integer,
        tasks_total -> Integer,
        task -> Nullable<Text>,
        deadline -> Nullable<Timestamptz>,
        lease_holder -> Nullable<Text>,
        lease_token -> BigInt,
        lease_until -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    build_steps (app_server_id, step) {
        app_server_id -> BigInt,
        step -> Text,
        started -> Timestamptz,
        ended -> Nullable<Timestamptz>,
        is_ok -> Nullable<Bool>,
    }
}
diesel::table! {
    app_server_checks (app_server_id, position) {
        app_server_id -> BigInt,
        position -> Integer,
        name -> Text,
        is_ok -> Bool,
        detail -> Text,
        checked_at -> Timestamptz,
    }
}
diesel::table! {
    activations (id) {
        id -> BigInt,
        instance_id -> BigInt,
        app_server_id -> BigInt,
        replaced_app_server_id -> Nullable<BigInt>,
        generation -> BigInt,
        activated_by -> Text,
        reason -> Nullable<Text>,
        activated_at -> Timestamptz,
        applied_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    log_counters (app_server_id) { app_server_id -> BigInt, last_seq -> BigInt, }
}
diesel::table! {
    log_entries (id) {
        id -> BigInt,
        created -> Timestamptz,
        level -> Text,
        text -> Text,
        task -> Nullable<Text>,
        instance_id -> Nullable<BigInt>,
        app_server_id -> Nullable<BigInt>,
        server_id -> Nullable<BigInt>,
        seq -> Nullable<BigInt>,
    }
}
diesel::table! {
    events (id) {
        id -> BigInt,
        kind -> Text,
        created -> Timestamptz,
        instance_id -> Nullable<BigInt>,
        app_server_id -> Nullable<BigInt>,
        server_id -> Nullable<BigInt>,
    }
}
diesel::table! {
    audit_log (id) {
        id -> BigInt,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        instance_id -> Nullable<BigInt>,
        app_server_id -> Nullable<BigInt>,
        detail -> Jsonb,
    }
}
diesel::table! {
    login_failures (username, at) { username -> Text, at -> Timestamptz, }
}

diesel::joinable!(app_servers -> servers (server_id));
diesel::joinable!(builds -> app_servers (app_server_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(app_servers, builds, servers, instances, users, sessions, api_tokens);
