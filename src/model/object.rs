//! How the model's structs look in JSON.

/// A value that JSON leaves out when there is nothing to say.
pub(super) trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for bool {
    fn is_absent(&self) -> bool {
        !self
    }
}

/// Defines structs of the model: the fields that always stand, and behind `optional` those that
/// JSON leaves out when they are absent.
macro_rules! objects {
    ($(
        $(#[$meta:meta])*
        struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident: $kind:ty,)*
        } $(optional {
            $($(#[$optional_meta:meta])* $optional:ident: $optional_kind:ty,)*
        })?
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, PartialEq, schemars::JsonSchema, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
            $($(
                $(#[$optional_meta])*
                #[serde(default, skip_serializing_if = "crate::model::object::Absent::is_absent")]
                pub $optional: $optional_kind,
            )*)?
        }
    )*};
}

pub(super) use objects;
