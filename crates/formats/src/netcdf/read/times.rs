//! Numbers that are times by their `units` (CF 1.11, §4.4), as microseconds since 1970.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType as Micros,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use chrono::NaiveDate;
use std::sync::Arc;

/// How the times of one variable are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::netcdf) struct Times {
    /// Microseconds of its unit.
    pub(in crate::netcdf) unit: i64,
    /// The time that it counts from.
    pub(in crate::netcdf) epoch: i64,
    /// Whether its dates before 1582-10-15 are those of the Julian calendar.
    mixed: bool,
}

/// 1582-10-15, the first day of the Gregorian calendar.
const GREGORIAN: i64 = -141_427 * DAY;

/// Units of a fixed length and their microseconds, by all names that UDUNITS knows.
const UNITS: [(&[&str], i64); 7] = [
    (&["microsecond", "microseconds", "microsec", "microsecs", "us"], 1),
    (&["millisecond", "milliseconds", "millisec", "millisecs", "msec", "msecs", "ms"], 1_000),
    (&["second", "seconds", "sec", "secs", "s"], 1_000_000),
    (&["minute", "minutes", "min", "mins"], 60_000_000),
    (&["hour", "hours", "hr", "hrs", "h"], 3_600_000_000),
    (&["day", "days", "d"], DAY),
    (&["week", "weeks"], 7 * DAY),
];
const DAY: i64 = 86_400_000_000;

impl Times {
    /// What `units` and `calendar` say; `None` if they are not those of a time.
    ///
    /// # Errors
    /// If they are, but such times are no points of the real calendar, or cannot be understood.
    pub(in crate::netcdf) fn of(
        units: &str,
        calendar: Option<&str>,
    ) -> Result<Option<Times>, String> {
        let Some((unit, since)) = units.split_once(" since ") else { return Ok(None) };
        let name = unit.trim().to_ascii_lowercase();
        let unit = UNITS.iter().find(|(names, _)| names.contains(&&*name)).map(|(_, unit)| *unit);
        let unit = unit.ok_or_else(|| format!("`{name}` is no unit of a fixed length"))?;
        let calendar = calendar.unwrap_or("standard").to_ascii_lowercase();
        let mixed = match &*calendar {
            "standard" | "gregorian" => true,
            "proleptic_gregorian" => false,
            _ => return Err(format!("a timestamp cannot hold dates of the calendar `{calendar}`")),
        };
        let wrong = || format!("`{since}` is no time, such as 2000-01-01 or 1970-01-01 00:00:00");
        let epoch = epoch(since, mixed).ok_or_else(wrong)?;
        Ok(Some(Times { unit, epoch, mixed }))
    }

    /// Decodes numbers; one that is not a number is a missing time.
    ///
    /// # Errors
    /// If a time is too far away.
    pub(super) fn decode(&self, numbers: &ArrayRef) -> Result<ArrayRef, String> {
        let times: PrimitiveArray<Micros> = match numbers.data_type() {
            DataType::Int32 => self.whole(numbers.as_primitive::<Int32Type>().iter()),
            DataType::Int64 => self.whole(numbers.as_primitive::<Int64Type>().iter()),
            DataType::Float32 => self.parts(numbers.as_primitive::<Float32Type>().iter()),
            DataType::Float64 => self.parts(numbers.as_primitive::<Float64Type>().iter()),
            other => return Err(format!("times are numbers, and not {other}")),
        }?;
        if self.mixed && times.iter().flatten().any(|time| time < GREGORIAN) {
            return Err(JULIAN.to_string());
        }
        Ok(Arc::new(times))
    }

    fn whole<N: Into<i64>>(
        &self,
        numbers: impl Iterator<Item = Option<N>>,
    ) -> Result<PrimitiveArray<Micros>, String> {
        let time = |number: Option<N>| match number.map(Into::into) {
            None => Ok(None),
            Some(n) => {
                let time = n.checked_mul(self.unit).and_then(|t| t.checked_add(self.epoch));
                time.map(Some).ok_or_else(|| far(n as f64))
            }
        };
        numbers.map(time).collect()
    }

    fn parts<N: Into<f64>>(
        &self,
        numbers: impl Iterator<Item = Option<N>>,
    ) -> Result<PrimitiveArray<Micros>, String> {
        let time = |number: Option<N>| match number.map(Into::into).filter(|n| !n.is_nan()) {
            None => Ok(None),
            Some(n) => {
                let time = (n * self.unit as f64).round_ties_even();
                // Every number below is exactly that of an i64.
                let time = (time.abs() < i64::MAX as f64).then_some(time as i64);
                let time = time.and_then(|t| t.checked_add(self.epoch));
                time.map(Some).ok_or_else(|| far(n))
            }
        };
        numbers.map(time).collect()
    }
}

const JULIAN: &str = "it has times before 1582-10-15, whose dates in the calendar `standard` are \
                      Julian ones, and a timestamp's are Gregorian: without `decode_times` they stay \
                      numbers";

fn far(number: f64) -> String {
    format!("the time {number} is too far away")
}

/// `2000-1-1`, `2000-01-01 12:30`, `2000-01-01T00:00:00.5Z`, `1900-01-01 00:00:0.0 +01:00`.
fn epoch(text: &str, mixed: bool) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = match text.find([' ', 'T', 't']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let mut numbers = date.split('-').map(str::parse::<u32>);
    let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (year, month, day) = (year.ok()? as i32, month.ok()?, day.ok()?);
    if numbers.next().is_some() {
        return None;
    }
    let zone = rest.find(|c: char| c == '+' || c == '-' || c.is_ascii_alphabetic());
    let (clock, zone) = rest.split_at(zone.unwrap_or(rest.len()));
    let zone = match zone.trim() {
        "" | "Z" | "z" | "UTC" | "utc" | "GMT" => 0,
        zone => {
            let (sign, zone) = match zone.split_at_checked(1)? {
                ("+", zone) => (1, zone),
                ("-", zone) => (-1, zone),
                _ => return None,
            };
            sign * seconds(zone)?
        }
    };
    let clock = if clock.trim().is_empty() { 0 } else { seconds(clock.trim())? };
    let days = days(year, month, day, mixed)?;
    days.checked_mul(DAY)?.checked_add(clock)?.checked_sub(zone)
}

/// `12`, `12:30`, `12:30:05.25`, in microseconds.
fn seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = parts.next()?.parse::<u32>().ok().filter(|h| *h < 24)?;
    let minutes = parts.next().map_or(Ok(0), str::parse::<u32>).ok().filter(|m| *m < 60)?;
    let seconds = parts.next().map_or(Ok(0.0), str::parse::<f64>).ok()?;
    let seconds = Some(seconds).filter(|s| (0.0..61.0).contains(s))?;
    if parts.next().is_some() {
        return None;
    }
    let whole = i64::from(hours * 60 + minutes) * 60_000_000;
    Some(whole + (seconds * 1e6).round_ties_even() as i64)
}

/// Days since 1970-01-01; in the mixed calendar days before 1582-10-15 are Julian ones.
fn days(year: i32, month: u32, day: u32, mixed: bool) -> Option<i64> {
    if !mixed || (year, month, day) >= (1582, 10, 15) {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        return Some(date.signed_duration_since(NaiveDate::default()).num_days());
    }
    // Ten days that were left out.
    if (year, month, day) >= (1582, 10, 5) {
        return None;
    }
    // The Julian day number (Meeus, Astronomical Algorithms, ch. 7), less that of 1970-01-01.
    let leap = year % 4 == 0;
    let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last = *last.get(month.checked_sub(1)? as usize)?;
    (1..=last).contains(&day).then_some(())?;
    let before = (14 - month as i64) / 12;
    let (y, m) = (year as i64 + 4800 - before, month as i64 + 12 * before - 3);
    Some(day as i64 + (153 * m + 2) / 5 + 365 * y + y / 4 - 32_083 - 2_440_588)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{Float64Array, Int32Array};

    fn micros(units: &str) -> i64 {
        Times::of(units, None).unwrap().unwrap().epoch
    }

    #[test]
    fn times_that_are_counted_from() {
        assert_eq!(micros("days since 1970-01-01"), 0);
        assert_eq!(micros("hours since 1970-1-2 00:00:0.0"), DAY);
        assert_eq!(micros("s since 1970-01-01T12:30:00.5Z"), 45_000_500_000);
        assert_eq!(micros("days since 1970-01-01 00:00 +01:00"), -3_600_000_000);
        assert_eq!(micros("days since 2000-02-29"), 11_016 * DAY);
        // cftime: num2date of both is the same day.
        assert_eq!(micros("days since 1582-10-15") - micros("days since 1582-10-04"), DAY);
        assert_eq!(micros("hours since 1-1-1 00:00:0.0"), -719_164 * DAY);
        let proleptic = Times::of("days since 1-1-1", Some("proleptic_gregorian"));
        assert_eq!(proleptic.unwrap().unwrap().epoch, -719_162 * DAY);
    }

    #[test]
    fn what_is_no_time() {
        assert_eq!(Times::of("kelvin", None), Ok(None));
        for units in ["months since 1970-01-01", "days since yesterday", "days since 1970-13-01"] {
            assert!(Times::of(units, None).is_err(), "{units}");
        }
        for units in ["days since 1970-01-01 25:00", "days since 1970-01-01 1:2:3:4", "s since 1-2"]
        {
            assert!(Times::of(units, None).is_err(), "{units}");
        }
        assert!(Times::of("days since 1970-01-01", Some("noleap")).is_err());
    }

    #[test]
    fn numbers_become_times() {
        let hours = Times::of("hours since 1970-01-02", None).unwrap().unwrap();
        let whole: ArrayRef = Arc::new(Int32Array::from(vec![Some(-24), None, Some(1)]));
        let found = hours.decode(&whole).unwrap();
        let found: Vec<_> = found.as_primitive::<Micros>().iter().collect();
        assert_eq!(found, [Some(0), None, Some(DAY + 3_600_000_000)]);
        let parts: ArrayRef = Arc::new(Float64Array::from(vec![0.5, f64::NAN]));
        let found = hours.decode(&parts).unwrap();
        let found: Vec<_> = found.as_primitive::<Micros>().iter().collect();
        assert_eq!(found, [Some(DAY + 1_800_000_000), None]);
        let far: ArrayRef = Arc::new(Float64Array::from(vec![1e300]));
        assert!(hours.decode(&far).unwrap_err().contains("too far"));
    }
}
