//! Parts of timestamps, in the proleptic Gregorian calendar.

const DAY: i64 = 86_400_000_000;

/// Year, month (from 1) and day (from 1) of a day counted from 1970-01-01.
/// After Howard Hinnant, "chrono-compatible low-level date algorithms".
#[inline]
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, late) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + late, month, day)
}

/// The day, counted from 1970-01-01, on which a year begins.
#[inline]
fn new_year(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + (before.div_euclid(4) - 492) - (before.div_euclid(100) - 19)
        + (before.div_euclid(400) - 4)
}

/// The year of a timestamp.
pub fn year(us: i64) -> i32 {
    civil(us.div_euclid(DAY)).0 as i32
}

/// The month of a timestamp, 1 to 12.
pub fn month(us: i64) -> i32 {
    civil(us.div_euclid(DAY)).1 as i32
}

/// The day of the month of a timestamp, from 1.
pub fn day(us: i64) -> i32 {
    civil(us.div_euclid(DAY)).2 as i32
}

/// The day of the year of a timestamp, from 1.
pub fn day_of_year(us: i64) -> i32 {
    let days = us.div_euclid(DAY);
    (days - new_year(civil(days).0) + 1) as i32
}

/// The hour of a timestamp, 0 to 23.
pub fn hour(us: i64) -> i32 {
    (us.rem_euclid(DAY) / 3_600_000_000) as i32
}

/// The minute of a timestamp, 0 to 59.
pub fn minute(us: i64) -> i32 {
    (us.rem_euclid(3_600_000_000) / 60_000_000) as i32
}

/// The whole second of a timestamp, 0 to 59.
pub fn second(us: i64) -> i32 {
    (us.rem_euclid(60_000_000) / 1_000_000) as i32
}
