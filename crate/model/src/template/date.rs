//! Turns seconds since 1970 into a date as `strftime` writes it, in UTC and English.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const DAY_SECONDS: i64 = 86_400;
/// The first second of 1970 to the last of 9999: later years have more than four digits, and no one means earlier ones.
const RANGE: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;

/// `format` with its `%` fields filled in; fields that no template is known to use stay as they are.
pub(super) fn format(unix_seconds: i64, format: &str) -> String {
    let seconds = unix_seconds.clamp(*RANGE.start(), *RANGE.end());
    let (day, second) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    let (year, month, month_day, year_day) = civil(day);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let month_name = name(&MONTHS, month - 1);
    let day_name = name(&DAYS, day % 7);
    let hour_of_12 = (hour + 11) % 12 + 1;
    let mut text = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut field = chars.next();
        let is_padded = field != Some('-');
        if !is_padded {
            field = chars.next();
        }
        let padded = |number: i64, width: usize| {
            if is_padded {
                format!("{number:0width$}")
            } else {
                number.to_string()
            }
        };
        match field {
            Some('Y') => text.push_str(&year.to_string()),
            Some('y') => text.push_str(&padded(year % 100, 2)),
            Some('m') => text.push_str(&padded(month, 2)),
            Some('d') => text.push_str(&padded(month_day, 2)),
            Some('j') => text.push_str(&padded(year_day, 3)),
            Some('H') => text.push_str(&padded(hour, 2)),
            Some('I') => text.push_str(&padded(hour_of_12, 2)),
            Some('M') => text.push_str(&padded(minute, 2)),
            Some('S') => text.push_str(&padded(second % 60, 2)),
            Some('p') => text.push_str(if hour < 12 { "AM" } else { "PM" }),
            Some('B') => text.push_str(month_name),
            Some('b') => text.push_str(&month_name[..3]),
            Some('A') => text.push_str(day_name),
            Some('a') => text.push_str(&day_name[..3]),
            Some('F') => text.push_str(&format!("{year}-{month:02}-{month_day:02}")),
            Some('T') => text.push_str(&format!("{hour:02}:{minute:02}:{:02}", second % 60)),
            Some('%') => text.push('%'),
            other => {
                text.push('%');
                text.extend((!is_padded).then_some('-'));
                text.extend(other);
            }
        }
    }
    text
}

fn name(names: &[&'static str], idx: i64) -> &'static str {
    usize::try_from(idx)
        .ok()
        .and_then(|idx| names.get(idx))
        .copied()
        .unwrap_or("   ")
}

/// Year, month, day of the month and day of the year of a day since 1970, all counted from 1.
fn civil(day: i64) -> (i64, i64, i64, i64) {
    let mut year = 1970 + day / 366;
    while days_before(year + 1) <= day {
        year += 1;
    }
    let year_day = day - days_before(year);
    let is_leap = days_before(year + 1) - days_before(year) == 366;
    let lengths = [
        31,
        if is_leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let (mut month, mut month_day) = (1, year_day);
    for length in lengths {
        if month_day < length {
            break;
        }
        month_day -= length;
        month += 1;
    }
    (year, month, month_day + 1, year_day + 1)
}

/// Days from 1970 to the first of January of `year`, from 1970 on.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 - 477;
    (year - 1970) * 365 + leap_days
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn writes_dates_as_strftime_does() {
        // Expected values are from Python 3.12's `datetime.fromtimestamp(.., UTC).strftime`.
        let all = "%Y-%m-%d %H:%M:%S %j %a %A %b %B %I %p %y %-d %%";
        assert_eq!(
            format(0, all),
            "1970-01-01 00:00:00 001 Thu Thursday Jan January 12 AM 70 1 %",
            "epoch"
        );
        let leap = "2024-02-29 23:59:59 060 Thu Thursday Feb February 11 PM 24 29 %";
        assert_eq!(format(1_709_251_199, all), leap, "leap day");
        assert_eq!(
            format(1_752_148_800, "%d %b %Y"),
            "10 Jul 2025",
            "July 2025"
        );
        assert_eq!(format(951_782_400, "%F"), "2000-02-29", "400 years");
        assert_eq!(format(4_107_542_400, "%F"), "2100-03-01", "no leap year");
    }

    #[test]
    fn keeps_what_it_does_not_know() {
        assert_eq!(format(0, "%Q %-Q %"), "%Q %-Q %", "unknown fields");
        assert_eq!(format(i64::MIN, "%Y"), "1970", "before any clock");
        assert_eq!(format(i64::MAX, "%Y"), "9999", "after any clock");
    }
}
