pub(super) fn knob(name: &str, default: f64) -> f64 {
    std::env::var(format!("OVS_{name}")).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
