//! What users of other tools write, and what to write here: a line each.

type Table = &'static [(&'static str, &'static str)];

/// What stands in this table for a word, in any case of letters.
fn look(table: Table, word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    table.iter().find(|(written, _)| *written == word).map(|(_, instead)| *instead)
}

/// What to write for a function that is not there.
pub fn function(word: &str) -> Option<&'static str> {
    look(FUNCTIONS, word)
}

/// What to write for a name that is not there.
pub fn name(word: &str) -> Option<&'static str> {
    look(NAMES, word)
}

/// What to write for an operator of steps that is not there.
pub fn operator(word: &str) -> Option<&'static str> {
    look(OPERATORS, word)
}

/// What to write for a key that a step does not have.
pub fn key(word: &str) -> Option<&'static str> {
    look(KEYS, word)
}

/// What to write for a sign that means something elsewhere.
pub fn sign(sign: char) -> Option<&'static str> {
    SIGNS.iter().find(|(signs, _)| signs.contains(sign)).map(|(_, instead)| *instead)
}

/// What to write for an argument with a name.
pub fn keyword(word: &str) -> Option<&'static str> {
    look(KEYWORDS, word)
}

const FUNCTIONS: Table = &[
    ("array", "lists are not part of expressions"),
    ("asin", "write `arcsin(x)`"),
    ("astype", "write the type as a function: `float64(x)`, `int64(x)`"),
    ("atan2", "write `arctan2(y, x)`"),
    ("average", "write `mean(x)`, in `reduce`"),
    ("avg", "write `mean(x)`, in `reduce`"),
    ("between", "write `low <= x <= high`"),
    ("case", "write `a if condition else b`"),
    ("cast", "write the type as a function: `float64(x)`, `int64(x)`"),
    ("ceiling", "write `ceil(x)`"),
    ("coalesce_null", "write `coalesce(x, 0)`"),
    ("concat", "texts cannot be put together"),
    ("concat_ws", "texts cannot be put together"),
    ("corr", "correlation is `(mean(x * y) - mean(x) * mean(y)) / (std(x) * std(y))`, in `reduce`"),
    ("count_distinct", "write `distinct: [x]`, and behind it `reduce: { n: count() }`"),
    ("cumsum", "there are no running sums: a value for each row looks at its own row alone"),
    (
        "date",
        "write `timestamp('2024-01-31')`; a time beside a text such as '2024-01-31' needs none",
    ),
    ("datetime", "write `timestamp('2024-01-31T12:00:00')`"),
    ("diff", "rows cannot look at the rows before them"),
    ("double", "write `float64(x)`"),
    ("dropna", "write `filter: not isnull(x)`"),
    ("fillna", "write `coalesce(x, 0)`"),
    ("fill_null", "write `coalesce(x, 0)`"),
    ("float", "write `float64(x)`"),
    ("greatest", "write `maximum(x, y)`"),
    ("group_concat", "there are no lists of texts"),
    ("if", "write `where(condition, x, y)`, or `x if condition else y`"),
    ("if_else", "write `where(condition, x, y)`, or `x if condition else y`"),
    ("ifelse", "write `where(condition, x, y)`, or `x if condition else y`"),
    ("ifnull", "write `coalesce(x, y)`"),
    ("iff", "write `where(condition, x, y)`, or `x if condition else y`"),
    ("iif", "write `where(condition, x, y)`, or `x if condition else y`"),
    ("int", "write `int64(x)`"),
    ("integer", "write `int64(x)`"),
    ("is_nan", "write `isnan(x)`"),
    ("is_not_null", "write `not isnull(x)`"),
    ("is_null", "write `isnull(x)`"),
    ("isin", "write `x == 1 or x == 2`, or `join` with a table of the values, `how: semi`"),
    ("isna", "write `isnull(x)`"),
    ("isnotnull", "write `not isnull(x)`"),
    ("lag", "rows cannot look at the rows before them"),
    ("lead", "rows cannot look at the rows behind them"),
    ("least", "write `minimum(x, y)`"),
    ("left", "texts cannot be cut: there is `startswith(text, start)`"),
    ("length", "write `len(text)`"),
    ("like", "write `contains(text, part)`, `startswith(text, start)` or `endswith(text, end)`"),
    ("list", "there are no lists in columns"),
    ("ln", "write `log(x)`"),
    ("long", "write `int64(x)`"),
    ("lower_case", "write `lower(text)`"),
    ("mad", "write `median(abs(x - m))`, with the median m beside x by a `join`"),
    (
        "mode",
        "count the values (`reduce: { n: count() }` with `by: [x]`), then `top: 1` with `by: -n`",
    ),
    ("n_unique", "write `distinct: [x]`, and behind it `reduce: { n: count() }`"),
    ("notna", "write `not isnull(x)`"),
    ("notnull", "write `not isnull(x)`"),
    ("now", "the time of the run is not part of expressions: give it as a parameter"),
    ("nullif", "write `where(x == y, null, x)`"),
    ("nunique", "write `distinct: [x]`, and behind it `reduce: { n: count() }`"),
    ("nvl", "write `coalesce(x, y)`"),
    ("percentile", "write `quantile(x, 0.95)`, in `reduce`"),
    ("pow", "write `x ** y`"),
    ("product", "write `prod(x)`, in `reduce`"),
    ("rank", "rows have no rank here: `sort` orders them, `top` keeps the first"),
    ("regexp", "there are no patterns: there are `contains`, `startswith` and `endswith`"),
    ("replace", "texts cannot be changed but by `upper` and `lower`"),
    ("row_number", "rows have no number here: `range` makes numbered points"),
    ("rolling", "rows cannot look at the rows around them"),
    ("shift", "rows cannot look at the rows before them"),
    ("size", "write `count()`, in `reduce`"),
    ("split", "texts cannot be cut"),
    ("starts_with", "write `startswith(text, start)`"),
    ("ends_with", "write `endswith(text, end)`"),
    ("stddev", "write `std(x)`, or `std(x, 1)` for that of a sample, in `reduce`"),
    ("stddev_pop", "write `std(x)`, in `reduce`"),
    ("stddev_samp", "write `std(x, 1)`, in `reduce`"),
    ("stdev", "write `std(x)`, or `std(x, 1)` for that of a sample, in `reduce`"),
    ("str", "numbers cannot be made texts: write them as they are"),
    ("str_contains", "write `contains(text, part)`"),
    ("string", "numbers cannot be made texts: write them as they are"),
    ("strip", "texts cannot be cut"),
    ("substr", "texts cannot be cut: there is `startswith(text, start)`"),
    ("substring", "texts cannot be cut: there is `startswith(text, start)`"),
    ("text", "numbers cannot be made texts: write them as they are"),
    ("to_date", "a time beside a text such as '2024-01-31' needs no function"),
    ("to_datetime", "write `timestamp('2024-01-31')` of a text that is known"),
    ("to_lower", "write `lower(text)`"),
    ("to_upper", "write `upper(text)`"),
    ("tolower", "write `lower(text)`"),
    ("toupper", "write `upper(text)`"),
    ("trim", "texts cannot be cut"),
    ("truncate", "write `trunc(x)`"),
    ("ucase", "write `upper(text)`"),
    ("unique", "write `distinct: [x]`"),
    ("value_counts", "write `reduce: { n: count() }` with `by: [x]`"),
    ("var_pop", "write `var(x)`, in `reduce`"),
    ("var_samp", "write `var(x, 1)`, in `reduce`"),
    ("variance", "write `var(x)`, or `var(x, 1)` for that of a sample, in `reduce`"),
];

const NAMES: Table = &[
    ("case", "write `a if condition else b`"),
    ("cast", "write the type as a function: `float64(x)`, `int64(x)`"),
    ("false", "write `false`"),
    ("infinity", "write `inf`"),
    ("lambda", "functions have names: `functions: { f(x): x + 1 }`"),
    ("na", "write `null`, or `isnull(x)` to look for missing values"),
    ("nil", "write `null`"),
    ("none", "write `null`, or `isnull(x)` to look for missing values"),
    ("null", "write `null`"),
    ("true", "write `true`"),
    ("π", "write `pi`"),
];

const OPERATORS: Table = &[
    ("agg", "write `reduce: { m: mean(x) }`, with `by:` beside it for groups"),
    ("aggregate", "write `reduce: { m: mean(x) }`, with `by:` beside it for groups"),
    ("append", "write `concat:` with `from: [a, b]`"),
    ("arrange", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("assign", "write `map: { y: x + 1 }`"),
    ("bind_rows", "write `concat:` with `from: [a, b]`"),
    ("collect", "leave it out: steps run by themselves"),
    ("compute", "write `map: { y: x + 1 }`"),
    ("csv", "write `read: file.csv` or `write: file.csv`"),
    ("dedup", "write `distinct: [x]`"),
    ("deduplicate", "write `distinct: [x]`"),
    ("drop_duplicates", "write `distinct: [x]`"),
    ("drop_nulls", "write `filter: not isnull(x)`"),
    ("dropna", "write `filter: not isnull(x)`"),
    ("except", "write `join: [key]` with `how: anti`"),
    ("fetch", "write `top: 10`"),
    ("group_by", "groups are made by `reduce: { m: mean(x) }` with `by: [key]`"),
    ("groupby", "groups are made by `reduce: { m: mean(x) }` with `by: [key]`"),
    ("having", "write `filter` behind the `reduce`"),
    ("head", "write `top: 10`, or `show: 10` to look at rows"),
    ("intersect", "write `join: [key]` with `how: semi`"),
    ("limit", "write `top: 10`"),
    ("load", "write `read: file`"),
    ("merge", "write `join: [key]` with `from: [left, right]`"),
    ("mutate", "write `map: { y: x + 1 }`"),
    ("nunique", "write `distinct: [x]`, and behind it `reduce: { n: count() }`"),
    ("open", "write `read: file`"),
    ("order", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("order_by", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("orderby", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("output", "write `write: file`"),
    ("print", "write `show: 10`"),
    ("query", "write `filter: x > 0`"),
    ("repartition", "write `partition: [key]`"),
    ("sample", "write `filter: random(1) < 0.1`"),
    ("save", "write `write: file`"),
    ("sink", "write `write: file`"),
    ("slice", "write `top: 10`; a `read` takes slices of dimensions"),
    ("sort_by", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("sort_values", "write `sort: [x]`, or `sort: [-x]` for the greatest first"),
    ("source", "write `read: file`"),
    ("store", "write `write: file`"),
    ("summarise", "write `reduce: { m: mean(x) }`, with `by:` beside it for groups"),
    ("summarize", "write `reduce: { m: mean(x) }`, with `by:` beside it for groups"),
    ("tail", "write `sort` the other way round, and `top: 10`"),
    ("take", "write `top: 10`"),
    ("transform", "write `map: { y: x + 1 }`"),
    ("union", "write `concat:` with `from: [a, b]`"),
    ("union_all", "write `concat:` with `from: [a, b]`"),
    ("unique", "write `distinct: [x]`"),
    ("vstack", "write `concat:` with `from: [a, b]`"),
    ("where", "write `filter: x > 0`"),
    ("with_columns", "write `map: { y: x + 1 }`"),
];

const KEYS: Table = &[
    ("axis", "dimensions that a `reduce` takes away stand in `over:`"),
    ("dim", "dimensions that a `reduce` takes away stand in `over:`"),
    ("dims", "dimensions that a `reduce` takes away stand in `over:`"),
    ("group_by", "write `by: [key]`"),
    ("groupby", "write `by: [key]`"),
    ("group", "write `by: [key]`"),
    ("groups", "write `by: [key]`"),
    ("input", "write `from: step`"),
    ("inputs", "write `from: [a, b]`"),
    ("id", "write `as: name`"),
    ("keys", "write `by: [key]`"),
    ("label", "write `as: name`"),
    ("left", "write `from: [left, right]`"),
    ("name", "write `as: name`"),
    ("on", "the keys of a join stand under it: `join: [key]`"),
    ("order_by", "write `by: [-x]`, or a `sort` step"),
    ("right", "write `from: [left, right]`"),
    ("type", "write `how: left`, or `format: csv`"),
];

const KEYWORDS: Table = &[
    ("axis", "the dimensions that a `reduce` takes away stand beside it: `over: [time]`"),
    ("ddof", "arguments have no names: write `std(x, 1)`"),
    ("decimals", "arguments have no names, and `round` takes one: write `round(x * 100) / 100`"),
    ("dim", "the dimensions that a `reduce` takes away stand beside it: `over: [time]`"),
    ("dtype", "write the type as a function: `float64(x)`"),
    ("keepdims", "a reduced box is joined to the one it was made of by `join`"),
    ("min_count", "write `where(count(x) >= 3, sum(x), null)`"),
    ("q", "arguments have no names: write `quantile(x, 0.95)`"),
    ("skipna", "missing values are always skipped"),
];

/// Signs that look like others, in groups.
const SIGNS: Table = &[
    ("–—−‐‑", "write `-`, the sign of the keyboard"),
    ("×·∙⋅✕", "write `*`"),
    ("÷∕⁄", "write `/`"),
    ("≤⩽", "write `<=`"),
    ("≥⩾", "write `>=`"),
    ("≠", "write `!=`"),
    ("“”„‟«»", "write straight quotes: `\"`"),
    ("‘’‚‛`´", "write straight quotes: `'`"),
    ("∧", "write `and`"),
    ("∨", "write `or`"),
    ("¬", "write `not`"),
    ("√", "write `sqrt(x)`"),
    ("∞", "write `inf`"),
    ("²", "write `x ** 2`"),
    ("³", "write `x ** 3`"),
    ("→⇒", "write `>=`, or give the value a name in `map`"),
    ("$", "parameters stand without `$` in expressions: write `n`"),
    ("@", "parameters and columns stand by their names alone"),
    ("#", "put the expression into quotes; columns whose names begin with `#` are renamed first"),
    ("\\", "write `//` to divide whole numbers"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        assert_eq!(function("AVG"), Some("write `mean(x)`, in `reduce`"));
        assert_eq!(name("TRUE"), Some("write `true`"));
        assert_eq!(sign('≤'), Some("write `<=`"));
        assert_eq!(operator("filter"), None);
    }
}
