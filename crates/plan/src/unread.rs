//! Why a column that a file has cannot be named: it is not read.
use base::{Code, Diagnostics};
use formats::{NotRead, Unread};

/// Says of names that no column has, but one in a file has that is not read, why it is not.
pub fn explain(unread: &[Unread], diagnostics: &mut Diagnostics) {
    diagnostics.amend(|d| {
        if !matches!(d.code, Code::UnknownName | Code::UnknownColumn) {
            return;
        }
        let Some(name) = d.message.split('`').nth(1) else { return };
        let Some(column) = unread.iter().find(|u| u.name == name) else { return };
        d.help = vec![match &column.why {
            NotRead::Kind(kind) => format!("the file's `{name}` is {kind}, which cannot be read"),
            NotRead::NotNamed => format!("the file has `{name}`, but `columns:` does not name it"),
            NotRead::Because(why) => format!("the file has `{name}`, which is not read: {why}"),
        }];
    });
}
