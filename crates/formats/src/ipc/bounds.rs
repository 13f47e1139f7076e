//! How long the buffers of a batch may be when they are decompressed: the file says it of each, and
//! memory is taken by that, so it is held against the number of values first.
use arrow_buffer::Buffer;
use arrow_ipc::{CompressionType, FieldNode, RecordBatch};
use arrow_schema::{ArrowError, DataType, SchemaRef};

/// The length before a compressed buffer.
const PREFIX: usize = 8;
/// A length that says that the buffer is not compressed.
const PLAIN: i64 = -1;
/// Bytes of a decompressed buffer that stand for no value: padding, and more than that.
const SLACK: u64 = 1 << 12;

/// What the codec makes of a byte at most.
fn ratio(codec: CompressionType) -> u64 {
    match codec {
        CompressionType::LZ4_FRAME => 1 << 8,
        // Zstandard says in 4 bytes at best that 128 KiB are all the same.
        _ => 1 << 15,
    }
}

/// How many rows a body of so many bytes can hold: a bit for each in one column.
pub(super) fn most_rows(batch: RecordBatch, schema: &SchemaRef, body: i64) -> i64 {
    if schema.fields().iter().all(|f| *f.data_type() == DataType::Null) {
        // They take no bytes at all.
        return i64::from(u32::MAX);
    }
    let ratio = batch.compression().map_or(1, |c| ratio(c.codec()));
    body.saturating_mul(8).saturating_mul(ratio as i64)
}

/// The bytes of each buffer of a batch once it is decompressed; as they are, if it is not.
///
/// # Errors
/// If a buffer says that it is longer than its values, or than its bytes, can make it.
pub(super) fn lengths(
    batch: RecordBatch,
    schema: &SchemaRef,
    body: &Buffer,
) -> Result<Vec<u64>, ArrowError> {
    let wrong = |text: &str| ArrowError::ParseError(text.to_string());
    let buffers = batch.buffers().ok_or_else(|| wrong("a batch has no buffers"))?;
    let Some(codec) = batch.compression().map(|c| c.codec()) else {
        return Ok(buffers.iter().map(|b| b.length().max(0) as u64).collect());
    };
    let bounds = bounds(batch, schema);
    let length = |(i, buffer): (usize, &arrow_ipc::Buffer)| {
        let start = usize::try_from(buffer.offset()).unwrap_or(usize::MAX);
        let end = usize::try_from(buffer.length()).ok().and_then(|n| start.checked_add(n));
        let bytes = end.and_then(|end| body.get(start..end));
        let bytes = bytes.ok_or_else(|| wrong("a buffer does not lie in its batch"))?;
        let most = bounds.get(i).map_or(u64::MAX, |b| b.saturating_mul(2).saturating_add(SLACK));
        length(bytes, codec, most).ok_or_else(|| {
            wrong("a compressed buffer says that it is longer than what it holds can be")
        })
    };
    buffers.iter().enumerate().map(length).collect()
}

/// The length that a compressed buffer says it has, if it can be that.
fn length(bytes: &[u8], codec: CompressionType, most: u64) -> Option<u64> {
    let Some((prefix, data)) = bytes.split_first_chunk::<PREFIX>() else {
        // Nothing at all; a shorter prefix is refused by whoever decompresses it.
        return Some(0);
    };
    let data_len = data.len() as u64;
    match i64::from_le_bytes(*prefix) {
        PLAIN => Some(data_len),
        length => {
            let length = u64::try_from(length).ok().filter(|n| *n <= most)?;
            let content = match codec {
                CompressionType::ZSTD => zstd::zstd_safe::get_frame_content_size(data).ok()?,
                _ => None,
            };
            let fits = length <= data_len.saturating_mul(ratio(codec));
            (fits && content.is_none_or(|n| n == length)).then_some(length)
        }
    }
}

/// How many bytes each buffer has at most by the number of its values; those of texts, and all
/// behind a type that is laid out otherwise, have no bound.
fn bounds(batch: RecordBatch, schema: &SchemaRef) -> Vec<u64> {
    let mut nodes = batch.nodes().into_iter().flatten();
    let mut bounds = Vec::new();
    for field in schema.fields() {
        if walk(field.data_type(), &mut nodes, &mut bounds).is_none() {
            break;
        }
    }
    bounds
}

/// Adds the bounds of the buffers of a type.
fn walk<'a>(
    data: &DataType,
    nodes: &mut impl Iterator<Item = &'a FieldNode>,
    bounds: &mut Vec<u64>,
) -> Option<()> {
    use DataType::*;
    let values = u64::try_from(nodes.next()?.length()).ok()?;
    let (bits, each) = (values.div_ceil(8), |width: u64| values.saturating_mul(width));
    match data {
        Null => {}
        Boolean => bounds.extend([bits, bits]),
        Utf8 | Binary => bounds.extend([bits, each(4).saturating_add(4), u64::MAX]),
        LargeUtf8 | LargeBinary => bounds.extend([bits, each(8).saturating_add(8), u64::MAX]),
        FixedSizeBinary(width) => bounds.extend([bits, each(u64::try_from(*width).ok()?)]),
        Dictionary(key, _) => bounds.extend([bits, each(key.primitive_width()? as u64)]),
        List(child) => {
            bounds.extend([bits, each(4).saturating_add(4)]);
            walk(child.data_type(), nodes, bounds)?;
        }
        LargeList(child) => {
            bounds.extend([bits, each(8).saturating_add(8)]);
            walk(child.data_type(), nodes, bounds)?;
        }
        FixedSizeList(child, _) => {
            bounds.push(bits);
            walk(child.data_type(), nodes, bounds)?;
        }
        Struct(fields) => {
            bounds.push(bits);
            for field in fields {
                walk(field.data_type(), nodes, bounds)?;
            }
        }
        primitive => bounds.extend([bits, each(primitive.primitive_width()? as u64)]),
    }
    Some(())
}

/// The place of the first buffer of a field and behind its last; `None` if types before it, or
/// itself, are laid out otherwise.
pub(super) fn buffers_of(schema: &SchemaRef, field: usize) -> Option<std::ops::Range<usize>> {
    let count = |fields: &[arrow_schema::FieldRef]| {
        fields.iter().map(|f| buffers(f.data_type())).sum::<Option<usize>>()
    };
    let fields = schema.fields();
    let start = count(&fields[..field])?;
    Some(start..start + buffers(fields[field].data_type())?)
}

fn buffers(data: &DataType) -> Option<usize> {
    use DataType::*;
    Some(match data {
        Null => 0,
        Utf8 | Binary | LargeUtf8 | LargeBinary => 3,
        List(f) | LargeList(f) => 2 + buffers(f.data_type())?,
        FixedSizeList(f, _) => 1 + buffers(f.data_type())?,
        Struct(fields) => {
            1 + fields.iter().map(|f| buffers(f.data_type())).sum::<Option<usize>>()?
        }
        Utf8View | BinaryView | Union(..) | RunEndEncoded(..) | ListView(_) | LargeListView(_)
        | Map(..) => return None,
        _ => 2,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        let lz4 = |prefix: i64, data: usize, most: u64| {
            let bytes = [prefix.to_le_bytes().to_vec(), vec![0; data]].concat();
            length(&bytes, CompressionType::LZ4_FRAME, most)
        };
        assert_eq!(lz4(1000, 20, 4096), Some(1000));
        assert_eq!(lz4(-1, 20, 4096), Some(20));
        assert_eq!(lz4(5000, 200, 4096), None);
        assert_eq!(lz4(6000, 20, u64::MAX), None);
        assert_eq!(lz4(-2, 20, 4096), None);
        assert_eq!(lz4(i64::MAX, 20, u64::MAX), None);
        let data = zstd::bulk::compress(&[0; 1000], 3).unwrap();
        let zstd = |prefix: i64| {
            let bytes = [prefix.to_le_bytes().to_vec(), data.clone()].concat();
            length(&bytes, CompressionType::ZSTD, u64::MAX)
        };
        assert_eq!([zstd(1000), zstd(1001), zstd(1 << 18)], [Some(1000), None, None]);
    }
}
