//! Adds the application types to the document: for each type the schemas of an instance and of the body that creates
//! one, and one schema for changes, from the field definitions that frontend, server and client share.

use shared_types::applications::{ALL, ApplicationType, DEFAULT};
use shared_types::settings::{Field, FieldKind, JsonShape};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Discriminator, KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use shared_types::care;

/// The property that discriminates the types.
const TYPE: &str = "instance_type";

/// Replaces the generic settings by a schema of each type.
pub(super) fn add(document: &mut OpenApi) {
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let mut whole = Object::with_type(Type::Object);
    for name in ["InstanceSummary", "Instance"] {
        if let Some(RefOr::T(schema)) = schemas.get(name) {
            gather(schema, &mut whole);
        }
    }
    let new = object_of(schemas.get("NewInstance"));
    let patch = object_of(schemas.get("InstancePatch"));
    for kind in ALL {
        schemas.insert(format!("{}Instance", pascal(kind)), RefOr::T(Schema::Object(instance(kind, whole.clone()))));
        schemas
            .insert(format!("New{}Instance", pascal(kind)), RefOr::T(Schema::Object(new_instance(kind, new.clone()))));
    }
    schemas.insert(
        "Instance".to_owned(),
        one_of("An instance, whole, by its application type.", |kind| format!("{}Instance", pascal(kind))),
    );
    schemas.insert(
        "NewInstance".to_owned(),
        one_of("What making an instance takes, by its application type.", |kind| {
            format!("New{}Instance", pascal(kind))
        }),
    );
    schemas.insert("InstancePatch".to_owned(), RefOr::T(Schema::Object(instance_patch(patch))));
}

/// The type's name in Pascal case: `openedx` becomes `Openedx`.
fn pascal(kind: &ApplicationType) -> String {
    let mut letters = kind.word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn one_of(description: &str, name: impl Fn(&ApplicationType) -> String) -> RefOr<Schema> {
    let mapping = ALL.iter().map(|kind| (kind.word.to_owned(), format!("#/components/schemas/{}", name(kind))));
    let choices = ALL.iter().map(|kind| Ref::from_schema_name(name(kind)));
    let builder = choices.fold(OneOfBuilder::new(), OneOfBuilder::item);
    let schema = builder.description(Some(description)).discriminator(Some(Discriminator::with_mapping(TYPE, mapping)));
    RefOr::T(Schema::OneOf(schema.build()))
}

fn instance(kind: &ApplicationType, mut whole: Object) -> Object {
    whole.description = Some(kind.description.to_owned());
    whole.properties.insert(TYPE.to_owned(), word(kind, SchemaType::new(Type::String)));
    for field in kind.schema.fields {
        whole.properties.insert(field.name.to_owned(), schema_of(field, Nullable::No));
        whole.required.push(field.name.to_owned());
    }
    whole
}

fn new_instance(kind: &ApplicationType, mut new: Object) -> Object {
    new.description =
        Some(format!("{} Settings that are left out, blank or null get their defaults.", kind.description));
    new.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    let is_default = kind.word == DEFAULT.word;
    let types =
        if is_default { SchemaType::from_iter([Type::String, Type::Null]) } else { SchemaType::new(Type::String) };
    new.properties.insert(TYPE.to_owned(), word(kind, types));
    if !is_default {
        new.required.push(TYPE.to_owned());
        // The example fits only the default type.
        new.example = None;
    }
    for field in kind.schema.fields.iter().chain(care::FIELDS) {
        let is_null = if field.is_required { Nullable::No } else { Nullable::Yes };
        new.properties.insert(field.name.to_owned(), schema_of(field, is_null));
        if field.is_required {
            new.required.push(field.name.to_owned());
        }
    }
    new
}

/// A schema with any field of any type: the document cannot tell the type of the instance that is changed.
fn instance_patch(mut patch: Object) -> Object {
    patch.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for field in ALL.iter().flat_map(|kind| kind.schema.fields).chain(care::FIELDS) {
        patch.properties.entry(field.name.to_owned()).or_insert_with(|| schema_of(field, Nullable::Yes));
    }
    patch
}

fn word(kind: &ApplicationType, types: SchemaType) -> RefOr<Schema> {
    let object = ObjectBuilder::new().schema_type(types).pattern(Some(format!("^{}$", kind.word)));
    let object = object.description(Some("The application type.")).examples([kind.word]);
    RefOr::T(Schema::Object(object.build()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nullable {
    Yes,
    No,
}

fn schema_of(field: &Field, nullable: Nullable) -> RefOr<Schema> {
    let types = |one: Type| match nullable {
        Nullable::Yes => SchemaType::from_iter([one, Type::Null]),
        Nullable::No => SchemaType::new(one),
    };
    let object = |one: Type| ObjectBuilder::new().schema_type(types(one)).description(Some(described(field)));
    let text = || object(Type::String).max_length((field.max > 0).then_some(field.max));
    let schema = match (field.kind, field.kind.shape()) {
        (_, JsonShape::Flag) => object(Type::Boolean),
        (_, JsonShape::Whole(least, most)) => object(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(least))
            .maximum(Some(most)),
        (_, JsonShape::Names(most)) => return list(field, types(Type::Array), most, hostname()),
        (_, JsonShape::Records(records)) => {
            return list(field, types(Type::Array), records.most, record(records.fields));
        }
        (FieldKind::Choice(words), JsonShape::Text) if nullable == Nullable::No => {
            text().enum_values(Some(words.iter().copied()))
        }
        (FieldKind::Choice(words), JsonShape::Text) => {
            let words = words.iter().map(|word| serde_json::Value::from(*word)).chain([serde_json::Value::Null]);
            object(Type::String).enum_values(Some(words))
        }
        (_, JsonShape::Text) => text().min_length(field.is_required.then_some(1)),
    };
    RefOr::T(Schema::Object(schema.build()))
}

fn described(field: &Field) -> String {
    let end = if field.help.ends_with('.') { "" } else { "." };
    format!("{}: {}{end}", field.label, field.help)
}

fn list(field: &Field, types: SchemaType, most: usize, items: Object) -> RefOr<Schema> {
    let array = ArrayBuilder::new().schema_type(types).items(RefOr::T(Schema::Object(items)));
    let array = array.max_items(Some(most)).description(Some(described(field)));
    RefOr::T(Schema::Array(array.build()))
}

fn hostname() -> Object {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(253)).build()
}

fn record(fields: &[Field]) -> Object {
    let mut object = Object::with_type(Type::Object);
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for field in fields {
        let is_null = if field.is_required { Nullable::No } else { Nullable::Yes };
        object.properties.insert(field.name.to_owned(), schema_of(field, is_null));
        if field.is_required {
            object.required.push(field.name.to_owned());
        }
    }
    object
}

fn object_of(schema: Option<&RefOr<Schema>>) -> Object {
    let mut whole = Object::with_type(Type::Object);
    if let Some(RefOr::T(schema)) = schema {
        gather(schema, &mut whole);
    }
    whole
}

/// Adds the properties of a schema and its inline parts; referenced schemas are left out.
fn gather(schema: &Schema, whole: &mut Object) {
    match schema {
        Schema::Object(part) => {
            whole.description.clone_from(&part.description);
            whole.example.clone_from(&part.example);
            whole.properties.extend(part.properties.clone());
            whole.required.extend(part.required.clone());
        }
        Schema::AllOf(all) => {
            for part in &all.items {
                if let RefOr::T(part) = part {
                    gather(part, whole);
                }
            }
        }
        Schema::Array(_) | Schema::OneOf(_) | Schema::AnyOf(_) => {}
        _ => {}
    }
}
