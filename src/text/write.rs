//! Writes values as RON, by `ron`: in one line and without the names of structs, as in hand-written scenarios.

use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde::Serialize;

/// A value in RON, in one line.
///
/// # Errors
/// If the value has no representation in a file, such as a [custom distribution](crate::engine::distribution::Custom).
pub fn ron<T: Serialize + ?Sized>(value: &T) -> ron::Result<String> {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default()
        .with_default_extension(extensions)
        .to_string_pretty(value, PrettyConfig::new().depth_limit(0))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::Document;
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    enum Shape {
        Bare,
        Held(Held),
        Pair(u8, char),
        Fields { text: String, list: Vec<f64>, inner: Box<Shape> },
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Held {
        some: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        none: Option<u8>,
    }

    #[test]
    fn values_are_written_in_one_line_and_read_back() {
        let fields = Shape::Fields {
            text: "a \"b\"\n\u{1b}".to_owned(),
            list: vec![1.0, 0.1, 1e300],
            inner: Box::new(Shape::Bare),
        };
        for (shape, text) in [
            (Shape::Bare, "Bare"),
            (Shape::Held(Held { some: Some(3), none: None }), "Held(some: 3)"),
            (Shape::Pair(7, '\''), "Pair(7, '\\'')"),
            (fields, r#"Fields(text: "a \"b\"\n\u{1b}", list: [1.0, 0.1, 1e300], inner: Bare)"#),
        ] {
            let written = ron(&shape).expect("it can be written");
            assert_eq!(written, text);
            let read = Document::parse("a.ron", written.as_bytes()).expect("RON").decode::<Shape>();
            assert_eq!((read.value, read.diagnostics), (Some(shape), vec![]));
        }
    }
}
