//! A JSON Schema validator that knows the contracts a server publishes.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

use crate::support::{App, client};

/// A compiled contract.
pub(crate) struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    /// Compiles a schema, which must itself be valid by the dialect that it names; formats are held to.
    #[track_caller]
    pub(crate) fn new(schema: &Value) -> Self {
        Self::of_part(schema, "")
    }

    /// The same for a part of it (`#/$defs/OfferInput`).
    #[track_caller]
    pub(crate) fn of_part(schema: &Value, pointer: &str) -> Self {
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        let id = schema["$id"].as_str().unwrap();
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(id, schema.clone()).unwrap();
        let mut schemas = Schemas::new();
        let index = compiler
            .compile(&format!("{id}{pointer}"), &mut schemas)
            .unwrap_or_else(|error| panic!("{id} is no schema: {error:#}"));
        Self { schemas, index }
    }

    /// Why a value is not valid; nothing if it is.
    pub(crate) fn complaint(&self, value: &Value) -> Option<String> {
        let result = self.schemas.validate(value, self.index);
        result.err().map(|error| format!("{error:#}\n{value:#}"))
    }

    /// Fails unless a value is valid.
    #[track_caller]
    pub(crate) fn accept(&self, value: &Value) {
        if let Some(complaint) = self.complaint(value) {
            panic!("{complaint}");
        }
    }
}

/// A contract as the server publishes it, without a token.
pub(crate) async fn published(app: &App, name: &str) -> Value {
    let url = format!("{}/schemas/{name}/1.0", app.origin());
    let answer = client::http().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{name}");
    assert_eq!(answer.headers()["content-type"], "application/schema+json");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}
