//! Which variables of a file become columns, and of which domain.
use super::decode::{Decoding, PACKING};
use super::times::{COUNTING, Times};
use crate::netcdf::file::NcFile;
use crate::netcdf::header::{Group, NamedAttributes, Raw, RawAttribute, RawDim, RawVariable};
use crate::{FormatError, FormatErrorKind};
use base::{Attribute, Attributes, DType, DimMask, Domain, Field, MAX_DIMS, Schema};
use std::sync::Arc;

/// What a variable holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Numbers, decoded so.
    Numbers(Decoding),
    /// Texts.
    Texts,
    /// Letters; the last dimension is the length of a text.
    Letters,
}

/// A variable that is a column.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) variable: RawVariable,
    pub(super) content: Content,
    /// How its numbers are times, if they are to be decoded.
    pub(super) times: Option<Times>,
    /// The domain's dimension behind each dimension of the variable, in the variable's order.
    pub(super) dims: Vec<usize>,
}

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) schema: Schema,
    /// One for each field of the schema.
    pub(super) chosen: Vec<Chosen>,
    /// Variables that no column can hold, or that only describe others.
    pub(super) left_out: Vec<String>,
}

/// Chooses the columns of a group: those asked for, or all, and the coordinates of their
/// dimensions.
pub(super) fn choose(
    file: &NcFile,
    group: &str,
    columns: Option<&[String]>,
    decode_times: bool,
) -> Result<Choice, FormatError> {
    let groups = groups(file, group)?;
    let mut levels = Vec::new();
    for level in groups.iter().rev() {
        levels.push(file.variables(level).map_err(corrupt)?);
    }
    let own = levels.first().cloned().unwrap_or_default();
    let (mut picked, left_out) = match columns {
        Some(names) => (by_name(&own, names)?, Vec::new()),
        None => all(&own),
    };
    if picked.is_empty() {
        return Err(nothing(file, &groups));
    }
    for name in dim_names(&picked) {
        let is_coordinate = |v: &&RawVariable| v.name == name && coordinate(v);
        let known = picked.iter().any(|p| p.0.name == name);
        if let Some(variable) = levels.iter().flatten().find(is_coordinate)
            && !known
            && let Some(content) = content(variable)
        {
            picked.push((variable.clone(), content));
        }
    }
    let domain = domain(&picked)?;
    let mut schema = Schema { domain, ..Schema::default() };
    for level in &groups {
        for (name, value) in attributes(&file.attributes(level).map_err(corrupt)?).0 {
            schema.attributes.set(name, value);
        }
    }
    let mut chosen = Vec::new();
    for (variable, content) in picked {
        let place = |d: &RawDim| schema.domain.position(&d.name);
        let dims: Vec<usize> = spatial(&variable, &content).iter().filter_map(place).collect();
        let times = if decode_times { times(&variable, &content)? } else { None };
        schema.fields.push(field(&variable, &content, times, &dims));
        chosen.push(Chosen { variable, content, times, dims });
    }
    Ok(Choice { schema, chosen, left_out })
}

fn corrupt(message: String) -> FormatError {
    FormatError::new(FormatErrorKind::Corrupt, message)
}

fn groups(file: &NcFile, path: &str) -> Result<Vec<Group>, FormatError> {
    file.groups(path).ok_or_else(|| {
        let kind = FormatErrorKind::BadOption("group".to_string());
        let root = file.groups("").and_then(|g| file.inner_groups(g.first()?).ok());
        let names = root.unwrap_or_default();
        FormatError {
            kind,
            message: format!("the file has no group `{path}`"),
            help: base::did_you_mean(path, names.iter().map(String::as_str)),
        }
    })
}

fn nothing(file: &NcFile, groups: &[Group]) -> FormatError {
    let inner = groups.last().and_then(|g| file.inner_groups(g).ok()).unwrap_or_default();
    let help = (!inner.is_empty())
        .then(|| format!("it has groups, choose one with `group:`: {}", inner.join(", ")));
    let message = "there is no variable that can be a column".to_string();
    FormatError { kind: FormatErrorKind::Unsupported(None), message, help }
}

/// What the variable holds, if a column can hold it.
fn content(variable: &RawVariable) -> Option<Content> {
    let names: Vec<&str> = variable.dims.iter().map(|d| d.name.as_str()).collect();
    let twice = (1..names.len()).any(|i| names[..i].contains(&names[i]));
    match variable.raw {
        _ if twice => None,
        Raw::Text => Some(Content::Texts),
        Raw::Char => Some(Content::Letters),
        _ => Decoding::of(variable).map(Content::Numbers),
    }
}

/// How the numbers of a variable are times, if they are.
fn times(variable: &RawVariable, content: &Content) -> Result<Option<Times>, FormatError> {
    let (Content::Numbers(_), Some(units)) = (content, variable.text("units")) else {
        return Ok(None);
    };
    Times::of(units, variable.text("calendar")).map_err(|e| FormatError {
        kind: FormatErrorKind::Unsupported(Some(variable.name.clone())),
        message: format!("the times of `{}` cannot be decoded: {e}", variable.name),
        help: Some("without `decode_times` they stay numbers".to_string()),
    })
}

fn by_name(
    own: &[RawVariable],
    names: &[String],
) -> Result<Vec<(RawVariable, Content)>, FormatError> {
    let pick = |name: &String| {
        let Some(variable) = own.iter().find(|v| v.name == *name) else {
            let kind = FormatErrorKind::UnknownColumn(name.clone());
            let message = format!("the file has no variable `{name}`");
            let help = base::did_you_mean(name, own.iter().map(|v| v.name.as_str()));
            return Err(FormatError { kind, message, help });
        };
        let content = content(variable).ok_or_else(|| {
            let kind = FormatErrorKind::Unsupported(Some(name.clone()));
            let kind_of = variable.kind.as_ref().map(|k| format!(": {k}")).unwrap_or_default();
            let what = "of a type that no column can hold";
            let message = format!("the variable `{name}` is {what}{kind_of}");
            let help = "numbers and texts whose dimensions differ can be read".to_string();
            FormatError { kind, message, help: Some(help) }
        })?;
        Ok((variable.clone(), content))
    };
    names.iter().map(pick).collect()
}

/// All variables but those that a column cannot hold and the bounds of others (CF 1.11, §7.1),
/// whose own dimension would repeat every point.
fn all(own: &[RawVariable]) -> (Vec<(RawVariable, Content)>, Vec<String>) {
    let bounds: Vec<&str> =
        own.iter().flat_map(|v| [v.text("bounds"), v.text("climatology")]).flatten().collect();
    let (mut picked, mut left_out) = (Vec::new(), Vec::new());
    for variable in own {
        match content(variable) {
            Some(content) if !bounds.contains(&variable.name.as_str()) => {
                picked.push((variable.clone(), content));
            }
            _ => left_out.push(variable.name.clone()),
        }
    }
    (picked, left_out)
}

/// The variable's dimensions that are dimensions of the domain.
fn spatial<'a>(variable: &'a RawVariable, content: &Content) -> &'a [RawDim] {
    match (content, variable.dims.split_last()) {
        (Content::Letters, Some((_, rest))) => rest,
        _ => &variable.dims,
    }
}

fn dim_names(picked: &[(RawVariable, Content)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for dim in picked.iter().flat_map(|(v, c)| spatial(v, c)) {
        if !names.contains(&dim.name) {
            names.push(dim.name.clone());
        }
    }
    names
}

fn coordinate(variable: &RawVariable) -> bool {
    matches!(&variable.dims[..], [only] if only.name == variable.name)
}

/// The union of all dimensions. The variables with most dimensions decide the order; a dimension
/// that they lack goes before the first of its variable's later ones that is known.
fn domain(picked: &[(RawVariable, Content)]) -> Result<Domain, FormatError> {
    let mut by_rank: Vec<&[RawDim]> = picked.iter().map(|(v, c)| spatial(v, c)).collect();
    by_rank.sort_by_key(|dims| std::cmp::Reverse(dims.len()));
    let mut union: Vec<RawDim> = Vec::new();
    for dims in by_rank {
        for (i, dim) in dims.iter().enumerate() {
            if let Some(known) = union.iter().find(|d| d.name == dim.name) {
                if known.size != dim.size {
                    return Err(unsupported(format!("two dimensions are called `{}`", dim.name)));
                }
                continue;
            }
            let later = |d: &RawDim| dims[i + 1..].iter().any(|l| l.name == d.name);
            let place = union.iter().position(later).unwrap_or(union.len());
            union.insert(place, dim.clone());
        }
    }
    if union.len() > MAX_DIMS {
        return Err(unsupported(format!("there are more than {MAX_DIMS} dimensions")));
    }
    let domain = Domain::new(union.into_iter().map(|d| (d.name, d.size)));
    match domain.points() {
        Some(_) => Ok(domain),
        None => Err(unsupported(format!("the box {domain} has too many points"))),
    }
}

fn unsupported(message: String) -> FormatError {
    let help = "choose variables of one shape with `columns:`".to_string();
    FormatError { kind: FormatErrorKind::Unsupported(None), message, help: Some(help) }
}

fn field(variable: &RawVariable, content: &Content, times: Option<Times>, dims: &[usize]) -> Field {
    let mask = dims.iter().fold(DimMask::SCALAR, |mask, d| mask.union(DimMask::only(*d)));
    let (dtype, nullable) = match content {
        // A number that is none is a missing time.
        Content::Numbers(_) if times.is_some() => (DType::Timestamp, true),
        Content::Numbers(decoding) => (decoding.dtype, decoding.nullable()),
        Content::Texts | Content::Letters => (DType::String, false),
    };
    let mut attributes = attributes(&variable.attributes);
    PACKING.iter().for_each(|name| attributes.remove(name));
    if times.is_some() {
        COUNTING.iter().for_each(|name| attributes.remove(name));
    }
    if dtype == DType::Bool {
        attributes.remove("dtype");
    }
    let name: Arc<str> = variable.name.as_str().into();
    Field { nullable, attributes, ..Field::new(name, dtype, mask) }
}

fn attributes(raw: &NamedAttributes) -> Attributes {
    let value = |value: &RawAttribute| match value {
        RawAttribute::Text(text) => Attribute::Text(text.clone()),
        RawAttribute::Floats(list, _) => Attribute::Floats(list.clone()),
        RawAttribute::Ints(list) => {
            match list.iter().map(|i| i64::try_from(*i)).collect::<Result<Vec<i64>, _>>() {
                Ok(fitting) => Attribute::Ints(fitting),
                Err(_) => Attribute::Floats(list.iter().map(|i| *i as f64).collect()),
            }
        }
    };
    Attributes(raw.iter().map(|(name, v)| (name.clone(), value(v))).collect())
}
