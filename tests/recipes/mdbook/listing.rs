//! Turns a raw voltage into grams; an excerpt that the handbook includes.
fn raw() -> u32 {
    7
}
// ANCHOR: tare
fn tare(scale: &mut Scale) {
    scale.zero = scale.raw();
}
// ANCHOR_END: tare
