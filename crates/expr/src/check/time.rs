//! Times as ISO 8601 writes them.
use chrono::{NaiveDate, NaiveTime};

/// The microseconds since 1970-01-01 that an ISO 8601 text means, in UTC: a year, a month, a day,
/// or a day and a time (`T12`, `T12:30`, `T12:30:45.5`) and perhaps a zone (`Z`, `+02`, `+02:00`).
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(i) => (&text[..i], Some(&text[i + 1..])),
        None => (text, None),
    };
    let (date, whole) = day(date)?;
    let (time, offset) = match time {
        None => (NaiveTime::MIN, 0),
        Some(time) if whole => of_day(time)?,
        Some(_) => return None,
    };
    let micros = date.and_time(time).and_utc().timestamp_micros();
    micros.checked_sub(i64::from(offset) * 60_000_000)
}

/// The first day of what is written, and whether that is a single day.
fn day(text: &str) -> Option<(NaiveDate, bool)> {
    let (sign, bare) = match text.strip_prefix(['-', '+']) {
        Some(bare) => (&text[..1], bare),
        None => ("", text),
    };
    let mut parts = bare.split('-');
    let year = parts.next().filter(|y| (4..=6).contains(&y.len()))?;
    let year: i32 = number(year, year.len())?.try_into().ok()?;
    let year = if sign == "-" { -year } else { year };
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let two = |part: Option<&str>| part.map_or(Some(1), |p| number(p, 2));
    Some((NaiveDate::from_ymd_opt(year, two(month)?, two(day)?)?, day.is_some()))
}

/// The time of day, and the minutes by which its zone is ahead of UTC.
fn of_day(text: &str) -> Option<(NaiveTime, i32)> {
    let (time, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(i) => (&text[..i], zone(&text[i..])?),
        None => (text, 0),
    };
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = parts.next().map_or(Some(0), |p| number(p, 2))?;
    let (second, micros) = match parts.next().map(|p| p.split_once(['.', ',']).unwrap_or((p, "0")))
    {
        None => (0, 0),
        Some((second, fraction)) => (number(second, 2)?, fraction_of(fraction)?),
    };
    if parts.next().is_some() {
        return None;
    }
    Some((NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?, offset))
}

fn zone(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, bare) = (text.starts_with('-'), &text[1..]);
    let (hours, minutes) = match bare.split_once(':') {
        Some((hours, minutes)) => (hours, number(minutes, 2)?),
        None if bare.len() == 4 && bare.is_ascii() => (&bare[..2], number(&bare[2..], 2)?),
        None => (bare, 0),
    };
    let minutes = i32::try_from(number(hours, 2)? * 60 + minutes).ok()?;
    (minutes < 24 * 60).then_some(if sign { -minutes } else { minutes })
}

/// A number of so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let all = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// Microseconds; digits behind them are cut off.
fn fraction_of(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<6}")[..6].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn iso_8601_is_read_and_nothing_else() {
        let same = [
            "2024-02-01",
            "2024-02",
            "2024-02-01T00",
            "2024-02-01 00:00",
            "2024-02-01T00:00:00",
            "2024-02-01T00:00:00.000",
            "2024-02-01T02+02",
            "2024-02-01T02:00+0200",
            "2024-01-31T23:00:00-01:00",
            "2024-02-01T00:00:00Z",
            "02024-02-01",
            "+2024-02-01",
        ];
        for text in same {
            assert_eq!(timestamp(text), Some(1_706_745_600_000_000), "{text}");
        }
        assert_eq!(timestamp("1970"), Some(0));
        assert_eq!(timestamp("1970-01-01T00:00:01,25"), Some(1_250_000));
        assert_eq!(timestamp("1970-01-01T00:00:00.1234567"), Some(123_456));
        assert_eq!(timestamp("10000-01-01"), Some(253_402_300_800_000_000));
        let wrong = [
            "2024-02-29T12:34:60",
            "2024-2-9",
            "2024-02-29Z",
            "2024-02-29T12:30:4",
            "2023-02-29",
            "2024-02-29  12:30",
            "2024-02-29T24:00",
            "2024-02T12",
            "20240229",
            "24-02-29",
            "",
            "2024-02-29T",
            "2024-02-29T12:",
            "2024-02-29T12:30:45.",
            "2024-02-29T12:30+25",
            "2024-02-29T12:30:45:00",
            "-",
            "2024-",
            "2024-02-29Tx",
            "+",
            "2024-02-01T02+02é",
        ];
        for text in wrong {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
