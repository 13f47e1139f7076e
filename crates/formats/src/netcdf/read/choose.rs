//! Which variables of a file become columns, and of which domain.
use super::decode::{Decoding, PACKED_RANGE, PACKING};
use super::times::Times;
use crate::netcdf::file::NcFile;
use crate::netcdf::header::{Group, NamedAttributes, Raw, RawAttribute, RawDim, RawVariable};
use crate::{FormatError, FormatErrorKind, NotRead, Unread};
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
    /// One letter at each point: the last dimension is one of others too.
    Letter,
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
    /// Variables that no column can hold, or that only describe others, and why.
    pub(super) left_out: Vec<(String, String)>,
    /// All variables that are no columns, and why.
    pub(super) unread: Vec<Unread>,
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
    let known = Known { levels: &levels };
    let (mut picked, mut left_out) = match columns {
        Some(names) => (by_name(&known, &own, names)?, Vec::new()),
        None => all(&known, &own),
    };
    if picked.is_empty() {
        return Err(nothing(file, &groups, &left_out));
    }
    for name in dim_names(&picked) {
        let is_coordinate = |v: &&RawVariable| v.name == name && coordinate(v);
        let there = picked.iter().any(|p| p.0.name == name)
            || left_out.iter().any(|(other, _)| *other == name);
        if let Some(variable) = levels.iter().flatten().find(is_coordinate)
            && !there
        {
            match known.content(variable) {
                Ok(content) => picked.push((variable.clone(), content)),
                Err(why) => left_out.push((name, why)),
            }
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
        let times = if decode_times { known.times(&variable, &content)? } else { None };
        let counted = times.and_then(|_| known.counted(&variable));
        schema.fields.push(field(&variable, &content, counted, &dims));
        chosen.push(Chosen { variable, content, times, dims });
    }
    let unread = own.iter().filter(|v| schema.position(&v.name).is_none()).map(|v| {
        let why = left_out.iter().find(|(name, _)| *name == v.name);
        let why = why.map_or(NotRead::NotNamed, |(_, why)| NotRead::Because(why.clone()));
        Unread { name: v.name.clone(), why }
    });
    let unread = unread.collect();
    Ok(Choice { schema, chosen, left_out, unread })
}

/// What is known of a file: its variables, those of the group first, then those around it.
struct Known<'a> {
    levels: &'a [Vec<RawVariable>],
}

impl Known<'_> {
    /// What the variable holds, or why no column can hold it.
    fn content(&self, variable: &RawVariable) -> Result<Content, String> {
        let names: Vec<&str> = variable.dims.iter().map(|d| d.name.as_str()).collect();
        let twice = (1..names.len()).find(|i| names[..*i].contains(&names[*i]));
        if let Some(i) = twice {
            return Err(format!("it varies along the dimension `{}` twice", names[i]));
        }
        match variable.raw {
            Raw::Text => Ok(Content::Texts),
            Raw::Char if names.last().is_some_and(|dim| self.of_others(dim)) => Ok(Content::Letter),
            Raw::Char => Ok(Content::Letters),
            Raw::Other => Err(match &variable.kind {
                Some(kind) => format!("it is of a type of the file's own: {kind}"),
                None => "it is of a type of the file's own".to_string(),
            }),
            _ => match Decoding::of(variable, variable.filled)? {
                Some(decoding) => Ok(Content::Numbers(decoding)),
                None => Err("no column can hold its type".to_string()),
            },
        }
    }

    /// Whether a dimension is more than the length of texts: it has a coordinate, or variables of
    /// other types vary along it, or texts vary along it. xarray joins letters by the same rule.
    fn of_others(&self, dim: &str) -> bool {
        let uses = |v: &RawVariable| {
            let inner = v.dims.iter().rposition(|d| d.name == dim).map(|i| i + 1 == v.dims.len());
            v.name == dim || inner.is_some_and(|last| v.raw != Raw::Char || !last)
        };
        self.levels.iter().flatten().any(uses)
    }

    /// The `units` and the `calendar` of a variable; bounds have those of what they bound
    /// (CF 1.11, §7.1 and §7.4).
    fn counted<'a>(&'a self, variable: &'a RawVariable) -> Option<(&'a str, Option<&'a str>)> {
        let bounds = |v: &&RawVariable| {
            let names = |name: &str| v.text(name) == Some(variable.name.as_str());
            names("bounds") || names("climatology")
        };
        let parent = || self.levels.iter().flatten().find(bounds);
        let calendar = || match variable.text("calendar") {
            None => parent().and_then(|p| p.text("calendar")),
            own => own,
        };
        match variable.text("units") {
            Some(units) => Some((units, calendar())),
            None => Some((parent()?.text("units")?, calendar())),
        }
    }

    /// How the numbers of a variable are times, if they are.
    fn times(
        &self,
        variable: &RawVariable,
        content: &Content,
    ) -> Result<Option<Times>, FormatError> {
        let (Content::Numbers(_), Some((units, calendar))) = (content, self.counted(variable))
        else {
            return Ok(None);
        };
        Times::of(units, calendar).map_err(|e| FormatError {
            kind: FormatErrorKind::Unsupported(Some(variable.name.clone())),
            message: format!("the times of `{}` cannot be decoded: {e}", variable.name),
            help: Some("without `decode_times` they stay numbers".to_string()),
        })
    }
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

fn nothing(file: &NcFile, groups: &[Group], left_out: &[(String, String)]) -> FormatError {
    let inner = groups.last().and_then(|g| file.inner_groups(g).ok()).unwrap_or_default();
    let help = (!inner.is_empty())
        .then(|| format!("it has groups, choose one with `group:`: {}", inner.join(", ")));
    let why = left_out.first().map(|(name, why)| format!(": of `{name}`, {why}"));
    let message = format!("there is no variable that can be a column{}", why.unwrap_or_default());
    FormatError { kind: FormatErrorKind::Unsupported(None), message, help }
}

type Picked = Vec<(RawVariable, Content)>;

fn by_name(known: &Known, own: &[RawVariable], names: &[String]) -> Result<Picked, FormatError> {
    let pick = |name: &String| {
        let Some(variable) = own.iter().find(|v| v.name == *name) else {
            let kind = FormatErrorKind::UnknownColumn(name.clone());
            let message = format!("the file has no variable `{name}`");
            let help = base::did_you_mean(name, own.iter().map(|v| v.name.as_str()));
            return Err(FormatError { kind, message, help });
        };
        let content = known.content(variable).map_err(|why| {
            let kind = FormatErrorKind::Unsupported(Some(name.clone()));
            let message = format!("the variable `{name}` cannot be a column: {why}");
            let help = "numbers and texts whose dimensions differ can be read".to_string();
            FormatError { kind, message, help: Some(help) }
        })?;
        Ok((variable.clone(), content))
    };
    names.iter().map(pick).collect()
}

/// All variables but those that a column cannot hold and the bounds of others (CF 1.11, §7.1),
/// whose own dimension would repeat every point.
fn all(known: &Known, own: &[RawVariable]) -> (Picked, Vec<(String, String)>) {
    let bounds: Vec<&str> =
        own.iter().flat_map(|v| [v.text("bounds"), v.text("climatology")]).flatten().collect();
    let (mut picked, mut left_out) = (Vec::new(), Vec::new());
    for variable in own {
        match known.content(variable) {
            Ok(_) if bounds.contains(&variable.name.as_str()) => {
                left_out.push((variable.name.clone(), BOUNDS.to_string()));
            }
            Ok(content) => picked.push((variable.clone(), content)),
            Err(why) => left_out.push((variable.name.clone(), why)),
        }
    }
    (picked, left_out)
}

/// Why bounds are left out.
const BOUNDS: &str = "it bounds the cells of another";

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

/// `counted` are the units and the calendar of times.
fn field(
    variable: &RawVariable,
    content: &Content,
    counted: Option<(&str, Option<&str>)>,
    dims: &[usize],
) -> Field {
    let mask = dims.iter().fold(DimMask::SCALAR, |mask, d| mask.union(DimMask::only(*d)));
    let (dtype, nullable) = match content {
        // A number that is none is a missing time.
        Content::Numbers(_) if counted.is_some() => (DType::Timestamp, true),
        Content::Numbers(decoding) => (decoding.dtype, decoding.nullable()),
        Content::Texts | Content::Letters | Content::Letter => (DType::String, false),
    };
    let mut attributes = attributes(&variable.attributes);
    PACKING.iter().for_each(|name| attributes.remove(name));
    if counted.is_some() || matches!(content, Content::Numbers(d) if d.unpacks()) {
        PACKED_RANGE.iter().for_each(|name| attributes.remove(name));
    }
    if let Some((units, calendar)) = counted {
        // An output says its times in the same units.
        attributes.set("units", Attribute::Text(units.to_string()));
        if let Some(calendar) = calendar {
            attributes.set("calendar", Attribute::Text(calendar.to_string()));
        }
    }
    if dtype == DType::Bool {
        attributes.remove("dtype");
    }
    if matches!(content, Content::Letters | Content::Letter) {
        // Letters are decoded, and are written as UTF-8.
        attributes.remove("_Encoding");
    }
    let name: Arc<str> = variable.name.as_str().into();
    Field { nullable, attributes, ..Field::new(name, dtype, mask) }
}

fn attributes(raw: &NamedAttributes) -> Attributes {
    let value = |value: &RawAttribute| match value {
        RawAttribute::Text(text) => Attribute::Text(text.clone()),
        RawAttribute::Floats(list, true) => {
            Attribute::Singles(list.iter().map(|x| *x as f32).collect())
        }
        RawAttribute::Floats(list, false) => Attribute::Floats(list.clone()),
        RawAttribute::Ints(list) => {
            match list.iter().map(|i| i64::try_from(*i)).collect::<Result<Vec<i64>, _>>() {
                Ok(fitting) => Attribute::Ints(fitting),
                Err(_) => Attribute::Floats(list.iter().map(|i| *i as f64).collect()),
            }
        }
    };
    Attributes(raw.iter().map(|(name, v)| (name.clone(), value(v))).collect())
}
