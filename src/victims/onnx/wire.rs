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
        let key = varint(&mut bytes)?;
        let (number, kind) = (key >> 3, key & 7);
        let length = match kind {
            0 => varint(&mut bytes).map(|_| 0)?,
            1 => 8,
            2 => varint(&mut bytes)?,
            5 => 4,
            _ => return None,
        };
        let (field, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        if let (2, Some(inner)) = (kind, message.within(number)) {
            walk(field, inner, depth)?;
        }
        bytes = rest;
    }
    Some(())
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
