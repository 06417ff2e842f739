//! The members that any event of the log may have ([`crate::domain::event::Event::body`]).

use serde_json::{Map, Value, json};

/// What every event says, one of somebody erased and one of the feed included.
pub(super) const ALWAYS: [&str; 6] = [
    "eventId",
    "type",
    "resourceType",
    "resourceId",
    "recordedAt",
    "correlationId",
];

/// What an event of the log itself says beside it as long as its person has not been erased.
pub(super) const BODY: [&str; 7] = [
    "tenant",
    "client",
    "occurredAt",
    "actor",
    "actorType",
    "sourceSystem",
    "changes",
];

/// The form of a member.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    MaybeText,
    Id,
    MaybeId,
    Instant,
    Number,
    MaybeNumber,
    Actor,
    Changes,
    Texts,
    Ids,
    Anything,
    True,
}

use Shape::{
    Actor, Anything, Changes, Id, Ids, Instant, MaybeId, MaybeNumber, MaybeText, Number, Text,
    Texts, True,
};

const MEMBERS: [(&str, Shape, &str); 27] = [
    ("eventId", Id, "The event's own id."),
    ("tenant", Number, "Whose log it is in."),
    ("position", Number, "In the feed: its place there."),
    ("type", Text, "What happened."),
    (
        "resourceType",
        Text,
        "The resource type through which it was done; empty if through none.",
    ),
    (
        "resourceId",
        Id,
        "The record that it is about; all zeros if it is about none.",
    ),
    (
        "version",
        MaybeNumber,
        "The version of the record that it made, if it made one.",
    ),
    (
        "personId",
        MaybeId,
        "The person whom it is about, if it is about one.",
    ),
    (
        "applicationId",
        MaybeId,
        "The application that it belongs to, if it belongs to one.",
    ),
    ("occurredAt", Instant, "When it was done."),
    ("recordedAt", Instant, "When it was recorded."),
    ("actor", Text, "Who did it."),
    ("actorType", Actor, "Whether that is a human or a system."),
    (
        "sourceSystem",
        Text,
        "The source system for which the client spoke; empty if for none.",
    ),
    (
        "client",
        Text,
        "The client that did it; empty if nobody is known.",
    ),
    ("purpose", MaybeText, "For what purpose."),
    (
        "correlationId",
        Text,
        "What ties together the requests of one flow.",
    ),
    ("causationId", MaybeId, "The event that led to it."),
    (
        "idempotencyKey",
        MaybeText,
        "The key under which the request is not done twice.",
    ),
    ("reasonCode", MaybeText, "Why, as a code."),
    ("changes", Changes, "Each attribute before and after."),
    (
        "withheld",
        Changes,
        "What is there although another record holds it.",
    ),
    (
        "suggested",
        Changes,
        "What was said that is for another system to say.",
    ),
    ("attributes", Texts, "The canonical paths of what was read."),
    ("subjects", Ids, "The persons of whom it was read."),
    (
        "detail",
        Anything,
        "What else there is to say; in the feed as text.",
    ),
    (
        "erased",
        True,
        "There once was more to say of somebody who has been erased.",
    ),
];

/// The members that any event may have.
pub(super) fn members() -> Map<String, Value> {
    let member = |(name, shape, description): (&str, Shape, &str)| {
        let mut schema = shape.schema();
        schema["description"] = description.into();
        (name.to_owned(), schema)
    };
    MEMBERS.into_iter().map(member).collect()
}

impl Shape {
    fn schema(self) -> Value {
        match self {
            Text => json!({"type": "string"}),
            MaybeText => json!({"type": ["string", "null"]}),
            Id => json!({"type": "string", "format": "uuid"}),
            MaybeId => json!({"type": ["string", "null"], "format": "uuid"}),
            Instant => json!({"type": "string", "format": "date-time"}),
            Number => json!({"type": "integer"}),
            MaybeNumber => json!({"type": ["integer", "null"]}),
            Actor => json!({"enum": ["human", "system"]}),
            Changes => json!({"type": "array", "items": change()}),
            Texts => json!({"type": "array", "items": Text.schema()}),
            Ids => json!({"type": "array", "items": Id.schema()}),
            Anything => json!({}),
            True => json!({"const": true}),
        }
    }
}

/// One attribute before and after; a reader finds a value only where they may see it.
fn change() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The canonical path."},
            "previous": {"description": "The value before; null if there was none."},
            "new": {"description": "The value after; null if there is none."},
        },
        "required": ["path"],
    })
}
