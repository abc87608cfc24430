#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overseer_fuzz_inputs::config(data));
