//! The keys of `fetch`.
use crate::operator::{Key, Shape};
use crate::task;

/// Its own keys, and behind them those of all steps that do something for each row: of the first of
/// these, `concurrency`, it has its own.
pub const KEYS: [Key; OWN.len() + task::KEYS.len() - 1] = {
    const NONE: Key = Key { name: "", doc: "", shape: Shape::Text };
    let mut keys = [NONE; OWN.len() + task::KEYS.len() - 1];
    let mut i = 0;
    while i < keys.len() {
        let key = if i < OWN.len() { &OWN[i] } else { &task::KEYS[i + 1 - OWN.len()] };
        keys[i] = Key { name: key.name, doc: key.doc, shape: key.shape };
        i += 1;
    }
    keys
};

const OWN: [Key; 14] = [
    Key {
        name: "to",
        doc: "The file, `out/${name}.nc`. One that is there with other content, and that no run has \
              made, is never replaced without `--overwrite`.",
        shape: Shape::Text,
    },
    Key {
        name: "headers",
        doc: "Headers of the request: `{ Accept: text/csv }`. Values are never shown, and go to no \
              other host after a redirect.",
        shape: Shape::Renames,
    },
    Key {
        name: "sha256",
        doc: "The SHA-256 of the body in 64 hexadecimal digits, `${sum}`: another one is an error. \
              Where the text is empty nothing is checked.",
        shape: Shape::Text,
    },
    Key {
        name: "per_second",
        doc: "The most attempts a second, of all processes together; no bound if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "timeout",
        doc: "The most seconds for a row, with all its attempts and waits; no bound if it is not \
              said.",
        shape: Shape::Constant,
    },
    Key {
        name: "connect_timeout",
        doc: "The most seconds until a connection stands; 10 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "stall_timeout",
        doc: "The most seconds of silence, before the answer and within it; 60 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "retries",
        doc: "How often a row is tried again after broken connections, silence, bodies that are cut, \
              and the statuses 202, 408, 425, 429 and 5xx; 4 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "wait",
        doc: "The most seconds before the first retry; 1 if it is not said. The bound doubles with \
              each one, and the wait is anything up to it.",
        shape: Shape::Constant,
    },
    Key {
        name: "longest_wait",
        doc: "The most seconds of any wait, also where the server asks for more with \
              `Retry-After`; 120 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "redirects",
        doc: "The most redirects that are followed; 10 if it is not said. From `https:` to `http:` \
              none is.",
        shape: Shape::Constant,
    },
    Key {
        name: "longest_body",
        doc: "The largest body that becomes a column, such as `1 MB`; 16 MB if it is not said.",
        shape: Shape::Text,
    },
    Key {
        name: "secrets",
        doc: "Headers whose values stand in variables of the environment: `{ Authorization: \
              API_TOKEN }`.",
        shape: Shape::Renames,
    },
    Key {
        name: "concurrency",
        doc: "How many are in flight at most, in all processes together; 16 if it is not said.",
        shape: Shape::Constant,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_there_once() {
        for key in &task::KEYS {
            assert_eq!(KEYS.iter().filter(|k| k.name == key.name).count(), 1, "{}", key.name);
        }
    }
}
