//! Packets: tiles that travel between workers, and the container that carries them.
//!
//! A container is shipped when it holds [`SHIP_BYTES`], not when it holds so many packets. Tiles
//! for other processes are encoded when they are sent and decoded by the receiving operator, so
//! that this code, which timely calls, cannot fail; received values are not copied.
use crate::parcel::Item;
use arrow_buffer::Buffer;
use std::io::Write;
use timely::Accountable;
use timely::container::{DrainContainer, PushInto, SizableContainer};
use timely::dataflow::channels::ContainerBytes;

/// A container with this many bytes of payload is sent at once.
const SHIP_BYTES: usize = 1 << 20;

/// A message to another worker.
pub struct Packet {
    /// The worker that gets it.
    pub target: usize,
    /// The worker that sent it.
    pub origin: usize,
    /// Under which number the sender keeps the credit of a tile in another process; 0 none.
    pub ticket: u64,
    /// What is sent.
    pub load: Load,
}

/// What is sent.
pub enum Load {
    /// To a worker of this process: as it is.
    Item(Item),
    /// To another process: an encoded tile, in pieces.
    Tile(Vec<Buffer>),
    /// To another process: [`Item::Closed`].
    Closed(u64, u64),
    /// To another process: [`Item::Rows`].
    Rows(u64, u64),
}

impl Packet {
    /// Bytes of what it carries.
    pub fn bytes(&self) -> usize {
        match &self.load {
            Load::Item(Item::Tile(parcel)) => parcel.tile.bytes(),
            Load::Tile(pieces) => pieces.iter().map(Buffer::len).sum(),
            Load::Item(_) | Load::Closed(..) | Load::Rows(..) => 16,
        }
    }
}

/// Some packets.
#[derive(Default)]
pub struct Packets {
    list: Vec<Packet>,
    bytes: usize,
}

impl Accountable for Packets {
    fn record_count(&self) -> i64 {
        self.list.len() as i64
    }
}

impl DrainContainer for Packets {
    type Item<'a> = Packet;
    type DrainIter<'a> = std::vec::Drain<'a, Packet>;

    fn drain(&mut self) -> Self::DrainIter<'_> {
        self.bytes = 0;
        self.list.drain(..)
    }
}

impl SizableContainer for Packets {
    fn at_capacity(&self) -> bool {
        self.bytes >= SHIP_BYTES
    }

    fn ensure_capacity(&mut self, stash: &mut Option<Packets>) {
        if let Some(mut spare) = stash.take()
            && self.list.capacity() == 0
        {
            spare.list.clear();
            spare.bytes = 0;
            *self = spare;
        }
    }
}

impl PushInto<Packet> for Packets {
    fn push_into(&mut self, packet: Packet) {
        self.bytes += packet.bytes();
        self.list.push(packet);
    }
}

/// Words before the payload of each packet: target, origin, ticket, kind, two more.
const HEAD: usize = 6;

impl Packet {
    fn head(&self) -> [u64; HEAD] {
        let (kind, a, b) = match &self.load {
            Load::Tile(_) => (1, self.bytes() as u64, 0),
            Load::Closed(start, end) => (2, *start, *end),
            Load::Rows(before, all) => (3, *before, *all),
            // Never reached: such packets do not leave the process.
            Load::Item(_) => (0, 0, 0),
        };
        [self.target as u64, self.origin as u64, self.ticket, kind, a, b]
    }
}

impl ContainerBytes for Packets {
    fn length_in_bytes(&self) -> usize {
        let payload = |p: &Packet| match &p.load {
            Load::Tile(_) => p.bytes(),
            _ => 0,
        };
        8 + self.list.iter().map(|p| HEAD * 8 + payload(p)).sum::<usize>()
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        // The writer is a piece of memory of the length that was asked for: it cannot fail.
        let mut put = |bytes: &[u8]| drop(writer.write_all(bytes));
        put(&(self.list.len() as u64).to_le_bytes());
        for packet in &self.list {
            for word in packet.head() {
                put(&word.to_le_bytes());
            }
            if let Load::Tile(pieces) = &packet.load {
                pieces.iter().for_each(|piece| put(piece));
            }
        }
    }

    fn from_bytes(bytes: timely::bytes::arc::Bytes) -> Packets {
        let bytes = Buffer::from(bytes::Bytes::from_owner(Owner(bytes)));
        let word = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        let mut packets = Packets::default();
        let mut at = 8;
        for _ in 0..word(0) {
            let head: [u64; HEAD] = std::array::from_fn(|i| word(at + 8 * i));
            at += HEAD * 8;
            let [target, origin, ticket, kind, a, b] = head;
            let load = match kind {
                1 => {
                    let piece = bytes.slice_with_length(at, a as usize);
                    at += a as usize;
                    Load::Tile(vec![piece])
                }
                2 => Load::Closed(a, b),
                _ => Load::Rows(a, b),
            };
            let (target, origin) = (target as usize, origin as usize);
            packets.push_into(Packet { target, origin, ticket, load });
        }
        packets
    }
}

/// Keeps a network buffer alive as long as an array shares it.
struct Owner(timely::bytes::arc::Bytes);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use timely::bytes::arc::BytesMut;

    #[test]
    fn packets_come_back() {
        let mut packets = Packets::default();
        let piece = Buffer::from(vec![7u8; 16]);
        let tile = Load::Tile(vec![piece.clone(), piece]);
        packets.push_into(Packet { target: 3, origin: 1, ticket: 9, load: tile });
        packets.push_into(Packet { target: 0, origin: 2, ticket: 0, load: Load::Closed(4, 5) });
        packets.push_into(Packet { target: 1, origin: 2, ticket: 0, load: Load::Rows(6, 7) });
        let mut bytes = Vec::new();
        packets.into_bytes(&mut bytes);
        assert_eq!(bytes.len(), packets.length_in_bytes());
        let mut back = Packets::from_bytes(BytesMut::from(bytes).freeze());
        assert_eq!(back.record_count(), 3);
        let list: Vec<Packet> = back.drain().collect();
        assert_eq!((list[0].target, list[0].origin, list[0].ticket), (3, 1, 9));
        assert!(matches!(&list[0].load, Load::Tile(p) if *p[0] == [7u8; 32]));
        assert!(matches!(list[1].load, Load::Closed(4, 5)));
        assert!(matches!(list[2].load, Load::Rows(6, 7)));
    }

    #[test]
    fn bytes_decide_when_to_ship() {
        let mut packets = Packets::default();
        for _ in 0..2 {
            assert!(!packets.at_capacity());
            let load = Load::Tile(vec![Buffer::from(vec![0u8; SHIP_BYTES / 2])]);
            packets.push_into(Packet { target: 0, origin: 0, ticket: 0, load });
        }
        assert!(packets.at_capacity());
    }
}
