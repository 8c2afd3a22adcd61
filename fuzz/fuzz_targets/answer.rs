#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| abigate::fuzzing::answer(data));
