//! Turns the engine's errors into the one object that JavaScript sees, `{ code, message, hint }`, and reads such objects.

use anchorite::EngineError;
use wasm_bindgen::JsValue;

/// The error as an object; `code` is stable, the rest is for people.
pub fn to_js(error: &EngineError) -> JsValue {
    let object = js_sys::Object::new();
    let fields = [
        ("code", error.code().to_owned()),
        ("message", error.to_string()),
        ("hint", error.hint().to_owned()),
    ];
    for (name, text) in fields {
        // Setting a property of a fresh object can't fail.
        let _ = js_sys::Reflect::set(&object, &name.into(), &text.into());
    }
    object.into()
}

/// The error for a call while another one holds the session.
pub fn busy() -> JsValue {
    to_js(&EngineError::Busy)
}

/// The message of an error that was thrown elsewhere.
pub fn reason(thrown: &JsValue) -> String {
    text(thrown, "message").unwrap_or_else(|| format!("{thrown:?}"))
}

/// The code of an error that was thrown elsewhere, if it has one.
pub fn code(thrown: &JsValue) -> Option<String> {
    text(thrown, "code")
}

fn text(thrown: &JsValue, name: &str) -> Option<String> {
    let field = js_sys::Reflect::get(thrown, &name.into()).ok()?;
    field.as_string()
}
