//! Types of text: what a column is if all its values are, and what its values leave open.
use super::values::{float, int, time, truth};
use base::DType;

/// Words that other tools write for a missing value, but that mean one only on request.
const MISSING: [&str; 14] = [
    "NULL", "Null", "null", "N/A", "n/a", "#N/A", "<NA>", "-", "--", "?", "None", "none", "NIL",
    "nil",
];

/// The largest integers that float64 holds each of.
const EXACT: u64 = 1 << 53;

/// What a column may still be after the values seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    bool: bool,
    int: bool,
    float: bool,
    time: bool,
    /// Whether there was a value.
    any: bool,
    /// Whether there was an empty text in quotes.
    empty: bool,
    null: bool,
    /// Whether there was a value without quotes.
    bare: bool,
    /// Whether there was one in quotes.
    quoted: bool,
    /// Whether a number began with a zero before another digit.
    zeros: bool,
    /// Whether an integer was beyond int64.
    wide: bool,
    /// Whether an integer was beyond those that float64 holds.
    inexact: bool,
    /// Whether a number was an integer, and whether one was neither that nor a word.
    integer: bool,
    fraction: bool,
    /// Whether a number was a word, in another spelling than floats are printed.
    misspelt: bool,
    /// The place in [`MISSING`] of the first such word, from 1 on.
    missing: u8,
    /// Whether a time had a zone, and whether one had none.
    zoned: bool,
    naive: bool,
    /// Whether a time had digits below a microsecond.
    cut: bool,
}

impl Guess {
    /// Nothing seen.
    pub(super) fn new() -> Guess {
        Guess {
            bool: true,
            int: true,
            float: true,
            time: true,
            any: false,
            empty: false,
            null: false,
            bare: false,
            quoted: false,
            zeros: false,
            wide: false,
            inexact: false,
            integer: false,
            fraction: false,
            misspelt: false,
            missing: 0,
            zoned: false,
            naive: false,
            cut: false,
        }
    }

    /// Takes a missing value into account.
    pub(super) fn see_null(&mut self) {
        self.null = true;
    }

    /// Takes a value into account.
    pub(super) fn see(&mut self, text: &str, quoted: bool) {
        if quoted && text.is_empty() {
            self.empty = true;
            self.quoted = true;
            return;
        }
        let text = text.trim();
        self.any = true;
        self.quoted |= quoted;
        self.bare |= !quoted;
        if !(self.bool || self.float || self.time) {
            return;
        }
        let digit = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        if !digit && let Some(place) = MISSING.iter().position(|word| *word == text) {
            if self.missing == 0 {
                self.missing = place as u8 + 1;
            }
            return;
        }
        self.float = self.float && self.see_number(text);
        self.int &= self.float;
        self.bool = self.bool && truth(text).is_some();
        self.time = self.time && self.see_time(text);
    }

    /// Whether it is a number.
    fn see_number(&mut self, text: &str) -> bool {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
        let zeros = matches!(digits, [b'0', b'0'..=b'9', ..]);
        if let Some(value) = int(text) {
            self.integer = true;
            self.zeros |= zeros;
            self.inexact |= value.unsigned_abs() > EXACT && value as f64 as i128 != value.into();
            return true;
        }
        if float(text).is_none() {
            return false;
        }
        self.int = false;
        self.zeros |= zeros;
        let whole = digits.iter().all(u8::is_ascii_digit);
        let word = digits.first().is_some_and(u8::is_ascii_alphabetic);
        self.wide |= whole;
        self.misspelt |= word && !matches!(text, "NaN" | "inf" | "-inf");
        self.fraction |= !whole && !word;
        true
    }

    fn see_time(&mut self, text: &str) -> bool {
        if time(text).is_none() {
            return false;
        }
        let clock = text.get(10..).unwrap_or_default();
        let zoned = clock.contains(['Z', 'z', '+', '-']);
        self.zoned |= zoned;
        self.naive |= !zoned;
        let below = clock.split_once('.').map_or("", |(_, digits)| digits.get(6..).unwrap_or(""));
        let below = below.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        self.cut |= below.contains(|c| c != '0');
        true
    }

    /// Takes the values of another file into account.
    pub fn join(&mut self, other: &Guess) {
        self.bool &= other.bool;
        self.int &= other.int;
        self.float &= other.float;
        self.time &= other.time;
        self.any |= other.any;
        self.empty |= other.empty;
        self.null |= other.null;
        self.bare |= other.bare;
        self.quoted |= other.quoted;
        self.zeros |= other.zeros;
        self.wide |= other.wide;
        self.inexact |= other.inexact;
        self.integer |= other.integer;
        self.fraction |= other.fraction;
        self.misspelt |= other.misspelt;
        self.missing = if self.missing == 0 { other.missing } else { self.missing };
        self.zoned |= other.zoned;
        self.naive |= other.naive;
        self.cut |= other.cut;
    }

    /// The type that all values have; float64 if there were none.
    pub fn dtype(&self) -> DType {
        match self {
            Guess { any: false, empty: true, .. } => DType::String,
            Guess { any: false, .. } => DType::Float64,
            _ if self.missing > 0 || self.in_quotes() => DType::String,
            _ => self.of_values(),
        }
    }

    /// Whether there are values, and all of them stand in quotes.
    fn in_quotes(&self) -> bool {
        self.quoted && !self.bare
    }

    /// The type of the values without quotes, and without words for missing ones.
    fn of_values(&self) -> DType {
        match self {
            Guess { bool: true, .. } => DType::Bool,
            // Codes, not numbers: as such they would lose digits.
            Guess { float: true, zeros: true, .. } => DType::String,
            Guess { float: true, wide: true, fraction: false, .. } => DType::String,
            Guess { int: true, .. } => DType::Int64,
            // Words alone are names, unless they are just as floats are printed.
            Guess { float: true, misspelt: true, fraction: false, integer: false, .. } => {
                DType::String
            }
            Guess { float: true, .. } => DType::Float64,
            Guess { time: true, .. } => DType::Timestamp,
            _ => DType::String,
        }
    }

    /// This type, if all values can be read as such, or the one that they have.
    pub(super) fn dtype_like(&self, like: Option<DType>) -> DType {
        let own = self.dtype();
        let fits = |like: &DType| match like {
            _ if !self.any => true,
            DType::String => true,
            DType::Float64 => own == DType::Int64 || own == DType::Float64,
            like => *like == own,
        };
        like.filter(fits).unwrap_or(own)
    }

    /// Whether values may be missing, if they are of this type.
    pub(super) fn nullable(&self, dtype: DType) -> bool {
        self.null || (self.empty && dtype != DType::String)
    }

    /// Whether all values would be of another type without quotes.
    pub(super) fn quoted_numbers(&self) -> bool {
        self.any && self.in_quotes() && self.missing == 0 && self.of_values() != DType::String
    }

    /// Whether there was a value without quotes.
    pub(super) fn has_bare(&self) -> bool {
        self.bare
    }

    /// What the values leave open, as the end of a sentence about the column, and what to do.
    pub(super) fn doubt(&self, name: &str) -> Option<(String, String)> {
        let say = |dtype: DType| format!("say `types: {{ {name}: {dtype} }}`");
        let of_values = self.of_values();
        if self.missing > 0 && of_values != DType::String && self.has_values() {
            let word = MISSING[usize::from(self.missing) - 1];
            let help = format!("if it means a missing value, say `null: [\"\", NA, \"{word}\"]`");
            return Some((format!("is text because of the word `{word}`"), help));
        }
        if self.dtype() == DType::String && self.float && self.wide && !self.zeros && self.bare {
            let text = "has integers beyond int64, and is text".to_string();
            return Some((text, say(DType::Float64)));
        }
        if self.dtype() == DType::Float64 && (self.inexact || self.wide) {
            let text = "has integers beside other numbers that float64 rounds".to_string();
            return Some((text, say(DType::String)));
        }
        if self.dtype() == DType::Timestamp && self.zoned && self.naive {
            let text = "has times with a zone and without one, which are taken as UTC".to_string();
            return Some((text, say(DType::String)));
        }
        None
    }

    /// Whether no value says which type the column is of.
    pub(super) fn is_open(&self) -> bool {
        !self.any && !self.empty
    }

    /// Whether times lose digits.
    pub(super) fn cuts_times(&self) -> bool {
        self.cut && self.dtype() == DType::Timestamp
    }

    /// Whether there was a value that is no word for a missing one.
    fn has_values(&self) -> bool {
        !(self.bool && self.int && self.float && self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> DType {
        let mut guess = Guess::new();
        for value in values {
            guess.see(value, false);
        }
        guess.dtype()
    }

    fn doubt(values: &[&str]) -> String {
        let mut guess = Guess::new();
        values.iter().for_each(|value| guess.see(value, false));
        guess.doubt("x").map(|(text, _)| text).unwrap_or_default()
    }

    #[test]
    fn one_value_decides() {
        assert_eq!(guess(&[]), DType::Float64);
        assert_eq!(guess(&["true", "False"]), DType::Bool);
        assert_eq!(guess(&["1", " -2 "]), DType::Int64);
        assert_eq!(guess(&["1e5", "nan", "-inf", ".5"]), DType::Float64);
        assert_eq!(guess(&["2020-01-01", "2020-02-30"]), DType::String);
        assert_eq!(guess(&["2020-01-01", "2020-01-01T10:00:00.5Z"]), DType::Timestamp);
        assert_eq!(guess(&["1", "true"]), DType::String);
    }

    #[test]
    fn codes_and_names_stay_texts() {
        for codes in [
            &["007"][..],
            &["1", "-05"],
            &["0047583311587E590003", "98765"],
            &["1", "99999999999999999999"],
            &["00.5", "1.5"],
            &["nan", "Inf"],
            &["infinity"],
            &["nan"],
        ] {
            assert_eq!(guess(codes), DType::String, "{codes:?}");
        }
        assert_eq!(guess(&["0", "10", "0.5", "-0.25"]), DType::Float64);
        assert_eq!(guess(&["NaN", "inf"]), DType::Float64);
        assert_eq!(guess(&["nan", "1"]), DType::Float64);
        assert_eq!(guess(&["1", "nan"]), DType::Float64);
    }

    #[test]
    fn quotes_throughout_make_texts() {
        let guess = |values: &[(&str, bool)]| {
            let mut guess = Guess::new();
            values.iter().for_each(|(text, quoted)| guess.see(text, *quoted));
            (guess.dtype(), guess.quoted_numbers())
        };
        assert_eq!(guess(&[("1", true), ("2", true)]), (DType::String, true));
        assert_eq!(guess(&[("1", true), ("a", true)]), (DType::String, false));
        assert_eq!(guess(&[("1", true), ("2", false)]), (DType::Int64, false));
    }

    #[test]
    fn what_is_left_open_is_said() {
        assert!(doubt(&["1", "NULL", "2"]).contains("the word `NULL`"));
        assert_eq!(guess(&["1", "NULL", "2"]), DType::String);
        assert_eq!(doubt(&["a", "NULL"]), "");
        assert_eq!(doubt(&["-", "NULL"]), "");
        assert!(doubt(&["1", "10000000000000000001"]).contains("beyond int64"));
        assert!(doubt(&["1.5", "9007199254740993"]).contains("rounds"));
        assert_eq!(doubt(&["1.5", "9007199254740992"]), "");
        assert!(doubt(&["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"]).contains("zone"));
        assert!(Guess::new().is_open());
        assert_eq!(doubt(&["1", "2.5", "x"]), "");
    }
}
