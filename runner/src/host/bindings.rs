//! The host's side of the contract in guest-sdk/wit, as generated.
#![allow(
    missing_docs,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    unsafe_code,
    unreachable_pub,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../guest-sdk/wit",
    world: "recipe",
    imports: {
        "netwright:host/clock": async | trappable,
        "netwright:host/probes": async | trappable,
        "netwright:host/taps": async | trappable,
        "netwright:host/captures": async | trappable,
        "netwright:host/exec": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [serde::Serialize, serde::Deserialize],
    trappable_error_type: { "netwright:host/types.error" => crate::host::Refusal },
    with: {
        "netwright:host/batch.batch": crate::host::BatchHandle,
        "netwright:host/namespaces.namespace": crate::host::NamespaceHandle,
        "netwright:host/links.link": crate::host::LinkHandle,
        "netwright:host/probes.pinging": crate::host::PingingHandle,
        "netwright:host/probes.listener": crate::host::ListenerHandle,
        "netwright:host/taps.tap": crate::host::TapHandle,
        "netwright:host/captures.capture": crate::host::CaptureHandle,
    },
});
