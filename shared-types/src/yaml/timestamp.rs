//! Dates and times as PyYAML recognises them, written as Python's `isoformat` writes them.

use chrono::{NaiveDate, NaiveTime};

const NO_SUCH_TIME: &str =
    "this looks like a date, and there is no such date or time; put it in quotes to keep it as a text";

/// Reads a plain scalar as a date, or a date and time, and gives it back in ISO 8601; `None` when it is none.
///
/// # Errors
/// A sentence for the user if the text has the form of a date but is none.
pub(super) fn timestamp(text: &str) -> Option<Result<String, &'static str>> {
    parts(text).map(|parts| parts.format().ok_or(NO_SUCH_TIME))
}

struct Parts<'a> {
    date: [u32; 3],
    time: Option<Time<'a>>,
}

struct Time<'a> {
    clock: [u32; 3],
    fraction: &'a str,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
}

/// Reads a text from its beginning, part by part.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.parse().ok()
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !wanted(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let mut cursor = Cursor(text);
    let year = cursor.digits(4, 4)?;
    cursor.take('-')?;
    let month = cursor.digits(1, 2)?;
    cursor.take('-')?;
    let day = cursor.digits(1, 2)?;
    let date = [year, month, day];
    if cursor.0.is_empty() {
        // A date alone needs both digits, or it is a text.
        return (text.len() == 10).then_some(Parts { date, time: None });
    }
    if cursor.take_while(|c| matches!(c, ' ' | '\t')).is_empty() {
        cursor.take('T').or_else(|| cursor.take('t'))?;
    }
    Some(Parts { date, time: Some(time(cursor)?) })
}

fn time(mut cursor: Cursor<'_>) -> Option<Time<'_>> {
    let hour = cursor.digits(1, 2)?;
    cursor.take(':')?;
    let minute = cursor.digits(2, 2)?;
    cursor.take(':')?;
    let second = cursor.digits(2, 2)?;
    let fraction = cursor.take('.').map_or("", |()| cursor.take_while(|c| c.is_ascii_digit()));
    let spaces = cursor.take_while(|c| matches!(c, ' ' | '\t'));
    let offset = if cursor.0.is_empty() && spaces.is_empty() { None } else { Some(offset(&mut cursor)?) };
    cursor.0.is_empty().then_some(Time { clock: [hour, minute, second], fraction, offset })
}

fn offset(cursor: &mut Cursor<'_>) -> Option<i32> {
    if cursor.take('Z').is_some() {
        return Some(0);
    }
    let sign = if cursor.take('-').is_some() {
        -1
    } else {
        cursor.take('+')?;
        1
    };
    let hours = cursor.digits(1, 2)?;
    let minutes = if cursor.take(':').is_some() { cursor.digits(2, 2)? } else { 0 };
    i32::try_from(hours * 60 + minutes).ok().map(|minutes| sign * minutes)
}

impl Parts<'_> {
    fn format(&self) -> Option<String> {
        let [year, month, day] = self.date;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
        let Some(time) = &self.time else { return Some(date.to_string()) };
        let [hour, minute, second] = time.clock;
        let micros: u32 = format!("{:0<6.6}", time.fraction).parse().ok()?;
        let clock = NaiveTime::from_hms_opt(hour, minute, second)?;
        let mut text = format!("{date}T{clock}");
        if micros > 0 {
            text.push_str(&format!(".{micros:06}"));
        }
        if let Some(offset) = time.offset {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs();
            if minutes >= 24 * 60 {
                return None;
            }
            text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        Some(text)
    }
}
