//! The tables as diesel sees them, in the form of `diesel print-schema`: one line for each column of the database,
//! which is why the file is longer than others. Change it with each migration: a test compares it with the migrated
//! database.

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        password_hash -> Nullable<Text>,
        role -> Text,
        created -> Timestamptz,
        version -> BigInt,
        disabled_at -> Nullable<Timestamptz>,
        last_login -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    user_identities (provider, subject) {
        provider -> Text,
        subject -> Text,
        user_id -> BigInt,
        created -> Timestamptz,
    }
}
diesel::table! {
    sessions (token_hash) {
        token_hash -> Binary,
        user_id -> BigInt,
        created -> Timestamptz,
        expires -> Timestamptz,
        id -> BigInt,
        last_seen -> Timestamptz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
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
        scopes -> Array<Text>,
    }
}
diesel::table! {
    user_ssh_keys (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        algorithm -> Text,
        data -> Text,
        comment -> Text,
        fingerprint -> Text,
        created -> Timestamptz,
    }
}
diesel::table! {
    ssh_teams (team) {
        team -> Text,
        members -> Jsonb,
        read_at -> Nullable<Timestamptz>,
        tried_at -> Timestamptz,
        trouble -> Nullable<Text>,
    }
}
diesel::table! {
    server_access (server_id) {
        server_id -> BigInt,
        digest -> Nullable<Text>,
        installed_at -> Nullable<Timestamptz>,
        claimed_until -> Nullable<Timestamptz>,
        failures -> Integer,
        next_try -> Nullable<Timestamptz>,
        trouble -> Nullable<Text>,
    }
}
diesel::table! {
    server_grants (id) {
        id -> BigInt,
        server_id -> BigInt,
        person -> Text,
        origin -> Text,
        user_id -> Nullable<BigInt>,
        key_name -> Text,
        fingerprint -> Text,
        granted_at -> Timestamptz,
        confirmed_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
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
        archived_at -> Nullable<Timestamptz>,
        archived_by -> Nullable<Text>,
        tier -> Text,
        max_builds -> Integer,
        retention_hours -> Nullable<Integer>,
        provider -> Nullable<Text>,
        https -> Text,
        hold_at -> Nullable<Timestamptz>,
        hold_by -> Nullable<Text>,
        hold_reason -> Nullable<Text>,
        maintenance_at -> Nullable<Timestamptz>,
        maintenance_by -> Nullable<Text>,
        maintenance_text -> Nullable<Text>,
        health_rank -> Integer,
        settings_version -> Integer,
        secrets -> Jsonb,
    }
}
diesel::table! {
    instance_health (instance_id) {
        instance_id -> BigInt,
        app_server_id -> BigInt,
        state -> Text,
        failing -> Array<Text>,
        suspects -> Jsonb,
        since -> Timestamptz,
        failing_since -> Nullable<Timestamptz>,
        checked_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    instance_health_changes (id) {
        id -> BigInt,
        at -> Timestamptz,
        instance_id -> Nullable<BigInt>,
        app_server_id -> Nullable<BigInt>,
        state -> Text,
        failing -> Array<Text>,
        failing_since -> Nullable<Timestamptz>,
        detail -> Nullable<Text>,
        is_mail_owed -> Bool,
    }
}
diesel::table! {
    health_watch (is_one) {
        is_one -> Bool,
        fresh_until -> Timestamptz,
        checked_at -> Nullable<Timestamptz>,
        trouble -> Nullable<Text>,
        is_told_stale -> Bool,
        mailed_at -> Timestamptz,
    }
}
diesel::table! {
    outbox (id) {
        id -> BigInt,
        kind -> Text,
        key -> Nullable<Text>,
        payload -> Jsonb,
        created -> Timestamptz,
        due -> Timestamptz,
        tries -> Integer,
        sent_at -> Nullable<Timestamptz>,
        given_up_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
    }
}
diesel::table! {
    instance_hostnames (hostname) { hostname -> Text, instance_id -> BigInt, protocol -> Text, }
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
        termination_requested_at -> Nullable<Timestamptz>,
        termination_requested_by -> Nullable<Text>,
        missing_since -> Nullable<Timestamptz>,
        ssh_key -> Nullable<Jsonb>,
        next_ssh_key -> Nullable<Jsonb>,
        image -> Nullable<Text>,
        flavor -> Nullable<Text>,
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
        trigger -> Text,
        attempt -> Integer,
        num_attempts -> Integer,
        retry_of -> Nullable<BigInt>,
        instance_type -> Text,
        settings_version -> Integer,
        hooks -> Jsonb,
        resources -> Jsonb,
        is_neutralised -> Bool,
    }
}
diesel::table! {
    hook_runs (id) {
        id -> BigInt,
        app_server_id -> BigInt,
        moment -> Text,
        activation -> Nullable<Jsonb>,
        requested_at -> Timestamptz,
        playbook -> Integer,
        run -> Integer,
        spool_events -> BigInt,
        spool_errors -> BigInt,
        ended_at -> Nullable<Timestamptz>,
        settled_at -> Nullable<Timestamptz>,
        failure -> Nullable<Text>,
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
        begun_at -> Nullable<Timestamptz>,
        estimated_end -> Nullable<Timestamptz>,
        stop_requested_at -> Nullable<Timestamptz>,
        stop_requested_by -> Nullable<Text>,
        stop_reason -> Nullable<Text>,
        activate_when_running -> Bool,
        activate_requested_by -> Nullable<Text>,
        activate_reason -> Nullable<Text>,
        activate_drain_limit_seconds -> Nullable<Integer>,
        mail_owed -> Bool,
        mail_tries -> Integer,
        mail_due -> Nullable<Timestamptz>,
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
        kind -> Text,
        is_forced -> Bool,
        drain_limit_seconds -> Nullable<Integer>,
        drained_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    log_counters (app_server_id) {
        app_server_id -> BigInt,
        last_seq -> BigInt,
        pruned_at -> Nullable<Timestamptz>,
    }
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
        transaction -> Nullable<BigInt>,
        earliest -> Nullable<BigInt>,
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
        user_id -> Nullable<BigInt>,
        token_id -> Nullable<BigInt>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        outcome -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        reason -> Nullable<Text>,
    }
}
diesel::table! {
    idempotency_keys (user_id, key) {
        user_id -> BigInt,
        key -> Text,
        request -> Binary,
        created -> Timestamptz,
        status -> Nullable<SmallInt>,
        location -> Nullable<Text>,
        etag -> Nullable<Text>,
        body -> Nullable<Binary>,
    }
}
diesel::table! {
    resources (id) {
        id -> BigInt,
        instance_id -> BigInt,
        kind -> Text,
        part -> Text,
        name -> Text,
        class -> Text,
        server -> Nullable<Text>,
        place -> Nullable<Jsonb>,
        remote_name -> Text,
        secret -> Jsonb,
        state -> Text,
        password_due -> Bool,
        trouble -> Nullable<Text>,
        size_bytes -> Nullable<BigInt>,
        measured_at -> Nullable<Timestamptz>,
        claimed_until -> Nullable<Timestamptz>,
        failures -> Integer,
        next_try -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
    }
}
diesel::table! {
    backups (id) {
        id -> BigInt,
        instance_id -> BigInt,
        state -> Text,
        reason -> Text,
        created_by -> Text,
        created -> Timestamptz,
        ended -> Nullable<Timestamptz>,
        pieces -> Jsonb,
        trouble -> Nullable<Text>,
        work -> Nullable<Text>,
        work_by -> Nullable<Text>,
        work_bytes -> BigInt,
        has_page -> Bool,
        is_replacing -> Bool,
        claim -> BigInt,
        claimed_until -> Nullable<Timestamptz>,
        failures -> Integer,
        next_try -> Nullable<Timestamptz>,
        verified -> Nullable<Timestamptz>,
        restored -> Nullable<Timestamptz>,
        into_instance_id -> Nullable<BigInt>,
    }
}
diesel::table! {
    instance_copies (id) {
        id -> BigInt,
        instance_id -> BigInt,
        source_instance_id -> BigInt,
        backup_id -> BigInt,
        data_at -> Timestamptz,
        asked_by -> Text,
        asked_at -> Timestamptz,
        replaced_at -> Nullable<Timestamptz>,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    migrating_builds (app_server_id) {
        app_server_id -> BigInt,
        instance_id -> BigInt,
        migrates_from -> Text,
        migrates_to -> Text,
        has_page -> Bool,
        state -> Text,
        backup_id -> Nullable<BigInt>,
        snapshot_at -> Nullable<Timestamptz>,
        exposed_at -> Nullable<Timestamptz>,
        is_retried -> Bool,
        trouble -> Nullable<Text>,
        created -> Timestamptz,
        modified -> Timestamptz,
    }
}
diesel::table! {
    secrets (id) {
        id -> Text,
        instance_id -> Nullable<BigInt>,
        key_id -> Text,
        sealed -> Binary,
        created -> Timestamptz,
        source_credential_id -> Nullable<BigInt>,
        acme_account_id -> Nullable<BigInt>,
        acme_order_id -> Nullable<BigInt>,
        certificate_id -> Nullable<BigInt>,
    }
}
diesel::table! {
    source_credentials (id) {
        id -> BigInt,
        source -> Text,
        kind -> Text,
        username -> Nullable<Text>,
        known_hosts -> Nullable<Text>,
        created_by -> Text,
        created -> Timestamptz,
    }
}
diesel::table! {
    app_server_retention (app_server_id) {
        app_server_id -> BigInt,
        pinned_at -> Nullable<Timestamptz>,
        pinned_by -> Nullable<Text>,
        pin_reason -> Nullable<Text>,
        unneeded_since -> Nullable<Timestamptz>,
        terminates_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    queue_pause (is_paused) { is_paused -> Bool, paused_at -> Timestamptz, paused_by -> Text, reason -> Nullable<Text>, }
}
diesel::table! {
    providers (name) {
        name -> Text,
        budget -> Nullable<Integer>,
        paused_until -> Nullable<Timestamptz>,
        pause_reason -> Nullable<Text>,
        refusals -> Integer,
    }
}
diesel::table! {
    workers (id) {
        id -> Text,
        hostname -> Text,
        version -> Text,
        slots -> Integer,
        started -> Timestamptz,
        seen -> Timestamptz,
        is_draining -> Bool,
        trouble -> Nullable<Text>,
        clock_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    server_processes (id) {
        id -> Text,
        hostname -> Text,
        version -> Text,
        started -> Timestamptz,
        seen -> Timestamptz,
        clock_ms -> BigInt,
        public_url -> Nullable<Text>,
        has_gateway -> Bool,
        key_ids -> Array<Text>,
        data_dir -> Text,
    }
}
diesel::table! {
    gateways (id) {
        id -> BigInt,
        name -> Text,
        token_hash -> Binary,
        created -> Timestamptz,
        created_by -> Text,
        agent -> Nullable<Text>,
        hostname -> Nullable<Text>,
        version -> Nullable<Text>,
        seen -> Nullable<Timestamptz>,
        sent_revision -> BigInt,
        revision -> BigInt,
        error -> Nullable<Text>,
    }
}
diesel::table! {
    gateway_revision (is_one) { is_one -> Bool, revision -> BigInt, forgets -> BigInt, challenges -> BigInt, certificates -> BigInt, certificates_digest -> Text, }
}
diesel::table! {
    gateway_routes (hostname) {
        hostname -> Text,
        target -> Nullable<Text>,
        notice -> Nullable<Text>,
        scheme -> Text,
        https -> Text,
        is_gone -> Bool,
        revision -> BigInt,
        previews -> Jsonb,
    }
}
diesel::table! {
    gateway_counts (gateway_id, target) {
        gateway_id -> BigInt,
        target -> Text,
        asked -> Timestamptz,
        counted -> Nullable<Timestamptz>,
        requests -> Nullable<BigInt>,
    }
}
diesel::table! {
    duties (name) { name -> Text, holder -> Text, until -> Timestamptz, }
}
diesel::table! {
    installation (is_only) {
        is_only -> Bool,
        id -> Text,
        compared_at -> Nullable<Timestamptz>,
        comparison_note -> Nullable<Text>,
        local_site -> Nullable<Text>,
        backed_up_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    orphans (kind, provider, provider_id) {
        kind -> Text,
        provider -> Text,
        provider_id -> Text,
        server_id -> BigInt,
        first_seen -> Timestamptz,
        last_seen -> Timestamptz,
    }
}
diesel::table! {
    login_failures (username, at) {
        username -> Text,
        at -> Timestamptz,
        address -> Nullable<Text>,
        browser -> Nullable<Text>,
    }
}
diesel::table! {
    known_browsers (id) {
        id -> BigInt,
        user_id -> BigInt,
        token_hash -> Binary,
        created -> Timestamptz,
        last_seen -> Timestamptz,
    }
}
diesel::table! {
    sign_in_groups (provider, name) { provider -> Text, name -> Text, group_id -> Text, created -> Timestamptz, }
}

diesel::table! {
    watched_repositories (id) {
        id -> BigInt,
        configured -> Text,
        name -> Text,
        github_id -> Nullable<BigInt>,
        etag -> Nullable<Text>,
        seen_until -> Nullable<Timestamptz>,
        swept_at -> Nullable<Timestamptz>,
        swept_whole_at -> Nullable<Timestamptz>,
        trouble -> Nullable<Text>,
    }
}
diesel::table! {
    pull_requests (id) {
        id -> BigInt,
        repository_id -> BigInt,
        number -> Integer,
        state -> Text,
        title -> Text,
        author -> Text,
        is_draft -> Bool,
        is_trusted -> Bool,
        fork_name -> Nullable<Text>,
        branch_name -> Text,
        head_commit -> Text,
        extra_settings -> Text,
        wanted -> Nullable<Jsonb>,
        settings_trouble -> Nullable<Text>,
        version -> BigInt,
        decision -> Nullable<Text>,
        decided_version -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        instance_id -> Nullable<BigInt>,
        applied_version -> Nullable<BigInt>,
        owed -> Nullable<Text>,
        github_updated -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        archive_at -> Nullable<Timestamptz>,
        is_archived_by_us -> Bool,
        fetched_at -> Timestamptz,
        trouble -> Nullable<Text>,
        comment_id -> Nullable<BigInt>,
        reported -> Nullable<Jsonb>,
        reported_of -> Nullable<Text>,
        is_report_settled -> Bool,
        report_turn -> BigInt,
        report_until -> Nullable<Timestamptz>,
        report_trouble -> Nullable<Text>,
        report_tries -> Integer,
        report_after -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
        settings_warnings -> Jsonb,
    }
}
diesel::table! {
    instance_names (instance_id, hostname) {
        instance_id -> BigInt,
        hostname -> Text,
        is_wanted -> Bool,
        is_written -> Bool,
        state -> Text,
        words -> Text,
        zone -> Nullable<Text>,
        servers -> Jsonb,
        last_error -> Nullable<Text>,
        failures -> Integer,
        checked_at -> Nullable<Timestamptz>,
        next_check -> Timestamptz,
    }
}
diesel::table! {
    webhook_deliveries (id) {
        id -> Text,
        received -> Timestamptz,
    }
}
diesel::table! {
    github_pause (is_one) {
        is_one -> Bool,
        until -> Timestamptz,
        reason -> Text,
    }
}
diesel::table! {
    acme_accounts (id) { id -> BigInt, directory -> Text, created -> Timestamptz, }
}
diesel::table! {
    certificates (id) {
        id -> BigInt,
        instance_id -> Nullable<BigInt>,
        source -> Text,
        names -> Array<Text>,
        names_digest -> Text,
        state -> Text,
        chain -> Nullable<Text>,
        origin -> Nullable<Text>,
        not_before -> Nullable<Timestamptz>,
        not_after -> Nullable<Timestamptz>,
        renew_at -> Nullable<Timestamptz>,
        renewal_checked_at -> Nullable<Timestamptz>,
        attempts -> Integer,
        next_attempt_at -> Timestamptz,
        last_error -> Nullable<Text>,
        failing_since -> Nullable<Timestamptz>,
        mailed_at -> Nullable<Timestamptz>,
        revision -> BigInt,
        claim -> BigInt,
        claimed_until -> Nullable<Timestamptz>,
        unwanted_since -> Nullable<Timestamptz>,
        created -> Timestamptz,
        modified -> Timestamptz,
    }
}
diesel::table! {
    acme_orders (id) {
        id -> BigInt,
        account_id -> BigInt,
        certificate_id -> Nullable<BigInt>,
        names -> Array<Text>,
        domains -> Array<Text>,
        is_renewal -> Bool,
        url -> Nullable<Text>,
        state -> Text,
        trouble -> Nullable<Text>,
        created -> Timestamptz,
        ended -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    acme_failures (account_id, hostname, failed_at) {
        account_id -> BigInt,
        hostname -> Text,
        failed_at -> Timestamptz,
    }
}
diesel::table! {
    acme_challenges (token) { token -> Text, key_authorization -> Text, hostname -> Text, created -> Timestamptz, }
}
diesel::table! {
    preview_links (id) {
        id -> BigInt,
        app_server_id -> BigInt,
        token_hash -> Binary,
        created -> Timestamptz,
        created_by -> Text,
        ends_at -> Timestamptz,
    }
}
diesel::joinable!(app_servers -> servers (server_id));
diesel::joinable!(app_server_retention -> app_servers (app_server_id));
diesel::joinable!(builds -> app_servers (app_server_id));
diesel::joinable!(migrating_builds -> app_servers (app_server_id));
diesel::joinable!(instance_hostnames -> instances (instance_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(known_browsers -> users (user_id));
diesel::joinable!(user_ssh_keys -> users (user_id));
diesel::joinable!(pull_requests -> watched_repositories (repository_id));
diesel::joinable!(user_identities -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    activations,
    app_server_retention,
    app_servers,
    builds,
    instance_copies,
    instance_hostnames,
    migrating_builds,
    preview_links,
    servers,
    instances,
    users,
    user_ssh_keys,
    sessions,
    api_tokens,
    known_browsers,
    user_identities,
    pull_requests,
    watched_repositories
);
