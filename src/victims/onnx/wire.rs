//! Whether all that an ONNX file claims to hold is there. The parser makes room for as many
//! bytes as a field claims before it reads them, and follows messages as deep as they go; so
//! lengths and depth are walked first, in the protobuf encoding, which needs no room at all.

/// Deepest message within messages; a net's weights and shapes are at most seven deep.
const DEEPEST: usize = 32;

/// The messages of ONNX that hold others.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    Sequence,
    /// One that holds no others.
    Flat,
}

impl Message {
    /// What the field `number` holds, where that is a message that the parser enters.
    fn within(self, number: u64) -> Option<Self> {
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Graph | Self::Attribute, 5) => Some(Self::Tensor),
            (Self::Graph, 11..=13) => Some(Self::Value),
            (Self::Value, 2) | (Self::Sequence, 1) => Some(Self::Type),
            (Self::Type, 1) => Some(Self::TensorType),
            (Self::Type, 4) => Some(Self::Sequence),
            (Self::TensorType, 2) => Some(Self::Shape),
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Some(Self::Flat),
            _ => None,
        }
    }
}

/// Whether every field of every message ends within its message, and none lies too deep.
pub(super) fn is_whole(file: &[u8]) -> bool {
    walk(file, Message::Model, DEEPEST).is_some()
}

fn walk(mut bytes: &[u8], message: Message, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    while !bytes.is_empty() {
        let field = next(&mut bytes)?;
        if let (Some(content), Some(inner)) = (field.content, message.within(field.number)) {
            walk(content, inner, depth)?;
        }
    }
    Some(())
}

/// One field of a message.
pub(super) struct Field<'b> {
    /// Its number.
    pub(super) number: u64,
    /// The content of one of varying length: text, bytes or a message.
    pub(super) content: Option<&'b [u8]>,
}

/// Takes a field off the front of a message.
fn next<'b>(bytes: &mut &'b [u8]) -> Option<Field<'b>> {
    let key = varint(bytes)?;
    let kind = key & 7;
    let length = match kind {
        0 => varint(bytes).map(|_| 0)?,
        1 => 8,
        2 => varint(bytes)?,
        5 => 4,
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(Field { number: key >> 3, content: (kind == 2).then_some(content) })
}

/// The fields of a message, as far as they are whole.
pub(super) fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || next(&mut bytes))
}

/// A field of a message of varying length, in the encoding.
pub(super) fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 12);
    for mut value in [number << 3 | 2, content.len() as u64] {
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// Takes a number off the front: seven bits a byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
