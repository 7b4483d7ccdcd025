//! Has the binary export `getrandom`, for those who look it up by name (host/entropy).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_PROVE").is_some() {
        println!("cargo::rustc-link-arg-bins=-Wl,--undefined=getrandom");
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol=getrandom");
    }
}
