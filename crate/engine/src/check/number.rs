//! Brings the spellings of a number and its unit to one form, so that `1,000` equals `1000` and `5 min` equals `five
//! minutes`.

/// A number in comparable form: digits with an optional sign and fraction, and its unit or `""`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: String,
    /// The unit's short form.
    pub(super) unit: &'static str,
    /// True if it is written in words, like `two`.
    pub(super) is_spelled: bool,
}

/// Units in their short form, then their other spellings in lower case.
const UNITS: &[(&str, &str)] = &[
    ("ns", "ns nanosecond"),
    ("us", "µs microsecond"),
    ("ms", "ms msec millisecond"),
    ("s", "sec second"),
    ("min", "min minute"),
    ("h", "hour hr hrs"),
    ("day", "day"),
    ("week", "week"),
    ("month", "month"),
    ("year", "year yr"),
    ("decade", "decade"),
    ("century", "century centuries"),
    ("bit", "bit"),
    ("B", "byte"),
    ("kB", "kb kilobyte"),
    ("KiB", "kib kibibyte"),
    ("MB", "mb megabyte"),
    ("MiB", "mib mebibyte"),
    ("GB", "gb gigabyte"),
    ("GiB", "gib gibibyte"),
    ("TB", "tb terabyte"),
    ("TiB", "tib tebibyte"),
    ("mm", "mm millimeter millimetre"),
    ("cm", "cm centimeter centimetre"),
    ("m", "meter metre"),
    ("km", "km kilometer kilometre"),
    ("mi", "mile"),
    ("in", "inch inches"),
    ("ft", "ft foot feet"),
    ("mg", "mg milligram"),
    ("g", "gram"),
    ("kg", "kg kilogram"),
    ("t", "ton tonne"),
    ("lb", "lb lbs pound"),
    ("°C", "°c celsius"),
    ("°F", "°f fahrenheit"),
    ("°", "degree"),
    ("%", "% percent"),
    ("$", "$ usd us$ dollar"),
    ("€", "€ eur euro"),
    ("£", "£ gbp"),
    ("¥", "¥ jpy yen"),
    ("Hz", "hz hertz"),
    ("kHz", "khz"),
    ("MHz", "mhz megahertz"),
    ("GHz", "ghz gigahertz"),
    ("V", "volt"),
    ("W", "watt"),
    ("kW", "kw kilowatt"),
    ("px", "px pixel"),
    ("am", "am a.m"),
    ("pm", "pm p.m"),
    ("times", "times"),
];

/// Short forms that are also words or variables: they are units only if they touch their number.
const TOUCHING_UNITS: &[&str] = &["s", "h", "m", "g", "B", "V", "W", "t", "x"];

/// Units of the same quantity.
const KINDS: [&str; 7] = [
    "ns us ms s min h day week month year decade century",
    "bit B kB KiB MB MiB GB GiB TB TiB",
    "mm cm m km mi in ft",
    "mg g kg t lb",
    "°C °F °",
    "$ € £ ¥",
    "Hz kHz MHz GHz",
];

const WORDS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// `third` and `3rd` are one; `second` is more likely a unit, and `first` has an antonym (`polarity.rs`).
const ORDINALS: [(&str, &str); 9] = [
    ("third", "3rd"),
    ("fourth", "4th"),
    ("fifth", "5th"),
    ("sixth", "6th"),
    ("seventh", "7th"),
    ("eighth", "8th"),
    ("ninth", "9th"),
    ("tenth", "10th"),
    ("twelfth", "12th"),
];

/// The value of a number that is spelled out, in lower case.
pub(super) fn spelled(word: &str) -> Option<String> {
    let ordinal = ORDINALS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| (*value).to_owned());
    let cardinal = || {
        WORDS
            .iter()
            .position(|name| *name == word)
            .map(|value| value.to_string())
    };
    ordinal.or_else(cardinal)
}

/// How many places a word such as `million` moves the decimal point.
pub(super) fn scale(word: &str) -> Option<usize> {
    Some(match word {
        "hundred" => 2,
        "thousand" | "k" => 3,
        "million" => 6,
        "billion" | "bn" => 9,
        "trillion" => 12,
        _ => return None,
    })
}

/// The short form of a unit that follows its number as a word of its own.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    if word.len() > 12 {
        return None;
    }
    // A lone letter after a number is a unit only if it is lower case.
    if let Some(short) = ["s", "h", "m", "g"].iter().find(|short| **short == word) {
        return Some(short);
    }
    let lower = word.to_lowercase();
    let one = lower
        .strip_suffix('s')
        .filter(|one| one.len() > 2)
        .unwrap_or(&lower);
    UNITS
        .iter()
        .find(|(_, names)| names.split(' ').any(|name| name == lower || name == one))
        .map(|(short, _)| *short)
}

/// The number that a word begins with, with its scale or unit, and the rest of the word.
///
/// `None` if it is not a plain number: a version, a date, a time of day, an identifier.
pub(super) fn leading(word: &str) -> Option<(Number, &str)> {
    /// Longest number, in bytes: longer runs of digits are keys, compared as code.
    const MAX_BYTES: usize = 40;
    let mut rest = word;
    let mut before = "";
    let mut sign = "";
    if let Some(behind) = rest.strip_prefix(['-', '−']) {
        sign = "-";
        rest = behind;
    } else if let Some(behind) = rest.strip_prefix(['+', '~', '≈']) {
        rest = behind;
    }
    if let Some(letter) = rest
        .chars()
        .next()
        .filter(|letter| "$€£¥".contains(*letter))
    {
        before = unit(&rest[..letter.len_utf8()]).unwrap_or_default();
        rest = &rest[letter.len_utf8()..];
    }
    let n_bytes = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'))
        .count();
    let digits = rest[..n_bytes].trim_end_matches([',', '.']);
    let behind = &rest[digits.len()..];
    let plain = grouped(digits)?;
    if digits.len() > MAX_BYTES {
        return None;
    }
    let mut number = Number {
        value: format!("{sign}{plain}"),
        unit: before,
        is_spelled: false,
    };
    let n_letters = behind.find(|letter: char| !(letter.is_alphabetic() || "°%".contains(letter)));
    let (letters, left) = behind.split_at(n_letters.unwrap_or(behind.len()));
    if matches!(letters, "st" | "nd" | "rd" | "th") {
        number.value.push_str(letters);
        return Some((number, left));
    }
    if letters == "s" && plain.len() == 4 && plain.ends_with('0') {
        number.value.push('s'); // The 1990s.
        return Some((number, left));
    }
    if letters.is_empty() {
        return Some((number, left));
    }
    if let Some(places) = scale(&letters.to_lowercase()) {
        number.shift(places);
        return Some((number, left));
    }
    let touching = TOUCHING_UNITS.iter().find(|short| **short == letters);
    number.unit = match (unit(letters), touching) {
        (_, Some(&"x")) => "times",
        (_, Some(short)) => short,
        (Some(short), None) => short,
        (None, None) => return None,
    };
    Some((number, left))
}

/// Digits without thousands separators; `None` if commas or points are in other places.
fn grouped(digits: &str) -> Option<String> {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = whole.contains(',');
    let is_number = !first.is_empty()
        && (!is_grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3)
        && fraction.is_none_or(|fraction| !fraction.is_empty() && !fraction.contains(['.', ',']));
    is_number.then(|| digits.replace(',', ""))
}

impl Number {
    /// Moves the decimal point `places` to the right: `1.5` million is `1500000`.
    pub(super) fn shift(&mut self, places: usize) {
        let (whole, fraction) = match self.value.split_once('.') {
            Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
            None => (self.value.as_str(), ""),
        };
        let moved = fraction.len().min(places);
        let mut value = format!(
            "{whole}{}{}",
            &fraction[..moved],
            "0".repeat(places - moved)
        );
        if moved < fraction.len() {
            value.push('.');
            value.push_str(&fraction[moved..]);
        }
        let zeros = value.len() - value.trim_start_matches('0').len();
        value.drain(..zeros.min(value.len() - 1));
        self.value = value;
    }

    /// Gives the number its unit; a measured `5.0` is `5`, while a bare `1.10` may be a version.
    pub(super) fn measure(&mut self, unit: &'static str) {
        self.unit = unit;
        if self.value.contains('.') {
            let kept = self.value.trim_end_matches('0').trim_end_matches('.').len();
            self.value.truncate(kept);
        }
    }

    /// True if another number counts or measures the same kind of thing.
    pub(super) fn is_like(&self, other: &Number) -> bool {
        let kind = |unit: &str| {
            KINDS
                .iter()
                .position(|kind| kind.split(' ').any(|name| name == unit))
        };
        let same_kind = self.unit == other.unit
            || kind(self.unit).is_some_and(|one| kind(other.unit) == Some(one));
        same_kind && self.is_year() == other.is_year()
    }

    /// True for a number of four digits that is likely a year.
    fn is_year(&self) -> bool {
        self.unit.is_empty()
            && self.value.len() == 4
            && self.value.bytes().all(|byte| byte.is_ascii_digit())
            && ("1000".."2101").contains(&self.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (word, value, unit, left) in [
            ("1,000", "1000", "", ""),
            ("1000", "1000", "", ""),
            ("1.95", "1.95", "", ""),
            ("10MB", "10", "MB", ""),
            ("50%", "50", "%", ""),
            ("$5", "5", "$", ""),
            ("-20°C", "-20", "°C", ""),
            ("5-minute", "5", "", "-minute"),
            ("3rd", "3rd", "", ""),
            ("1990s", "1990s", "", ""),
            ("30s", "30", "s", ""),
            ("100k", "100000", "", ""),
            ("1914–1918", "1914", "", "–1918"),
        ] {
            let (number, rest) = leading(word).unwrap_or_else(|| panic!("{word:?} is a number"));
            assert_eq!(
                (number.value.as_str(), number.unit, rest),
                (value, unit, left),
                "of {word:?}"
            );
        }
        for word in ["1.2.3", "v1", "", "abc", "1,00", "5abc", "."] {
            assert_eq!(
                leading(word).map(|(number, _)| number),
                None,
                "{word:?} is no plain number"
            );
        }
    }

    #[test]
    fn scales_move_the_point() {
        for (value, places, expected) in [
            ("1.5", 6, "1500000"),
            ("2", 3, "2000"),
            ("0.25", 1, "2.5"),
            ("0", 2, "0"),
        ] {
            let mut number = Number {
                value: value.to_owned(),
                unit: "",
                is_spelled: false,
            };
            number.shift(places);
            assert_eq!(number.value, expected, "{value} moved by {places}");
        }
    }
}
