#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| abigate::fuzzing::records_stream(data));
