//! The guard of `rdpdr`, which drives, printers, smart cards and ports share ([MS-RDPEFS]): which of the
//! user's devices the host hears of, and which way files pass on drives.
//!
//! A client announces each device with a number and a kind, and a host asks for something of the device with
//! a number. The guard takes forbidden devices out of the announcements. A question to a device that is not
//! there, or one that would carry a file the wrong way, is answered in the client's place with "access
//! denied" and does not arrive. An answer passes only to a question that arrived.
//!
//! Limits to know: names of files, their sizes and times pass both ways wherever there are drives. Who saves
//! a file has to see where to.

mod request;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use self::request::Request;
use super::ChannelPolicy;
use super::guard::{Beginning, Guard, Judgement};
use crate::connection_sequence::Party;
use crate::read::{Malformed, Reader};

/// RDPDR_HEADER (2.2.1.1): the component, RDPDR_CTYP_CORE or RDPDR_CTYP_PRN, and the packet's id.
mod header {
    pub(super) type Header = [u8; 4];

    const fn core(id: u16) -> Header {
        let [low, high] = id.to_le_bytes();
        [0x72, 0x44, low, high]
    }

    pub(super) const SERVER_ANNOUNCE: Header = core(0x496e);
    pub(super) const CLIENT_ID_CONFIRM: Header = core(0x4343);
    pub(super) const CLIENT_NAME: Header = core(0x434e);
    pub(super) const SERVER_CAPABILITY: Header = core(0x5350);
    pub(super) const CLIENT_CAPABILITY: Header = core(0x4350);
    pub(super) const USER_LOGGED_ON: Header = core(0x554c);
    pub(super) const DEVICE_LIST_ANNOUNCE: Header = core(0x4441);
    pub(super) const DEVICE_LIST_REMOVE: Header = core(0x444d);
    pub(super) const DEVICE_REPLY: Header = core(0x6472);
    pub(super) const IO_REQUEST: Header = core(0x4952);
    pub(super) const IO_COMPLETION: Header = core(0x4943);
    /// What a host says about printers ([MS-RDPEPC] 2.2.2.2 to 2.2.2.6); clients say nothing with it.
    pub(super) const PRINTER: [u8; 2] = [0x52, 0x50];
}

/// Devices that are known of one connection. An id is never forgotten, so these are all of its life.
const DEVICES_MAX: usize = 1_024;

/// Questions that wait for an answer. Some wait for days: whether something in a folder has changed.
const ASKED_MAX: usize = 4_096;

/// The longest list of devices that is looked at. Microsoft's client announces all printers in one, each with
/// its names and what it was set to the last time: some 2 KiB.
const LIST_BYTES_MAX: usize = 128 * 1024;

/// DEVICE_ANNOUNCE (2.2.1.3) up to its data: type, id, DOS name, length.
const DEVICE_BYTES: usize = 20;

/// What a device is: DeviceType (2.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Port,
    Printer,
    Drive,
    SmartCard,
}

impl Kind {
    fn of(device_type: u32) -> Option<Self> {
        match device_type {
            // RDPDR_DTYP_SERIAL, RDPDR_DTYP_PARALLEL
            0x01 | 0x02 => Some(Self::Port),
            0x04 => Some(Self::Printer),
            0x08 => Some(Self::Drive),
            0x20 => Some(Self::SmartCard),
            _ => None,
        }
    }
}

/// A device that the host has heard of.
#[derive(Debug)]
struct Device {
    kind: Kind,
    /// Whether the client has not taken it away again.
    is_there: bool,
}

#[derive(Debug)]
pub(super) struct DeviceGuard {
    policy: ChannelPolicy,
    /// By id. A device that was taken away stays, since not every host minds: its id may come back as the
    /// same kind only.
    devices: BTreeMap<u32, Device>,
    /// Devices and the questions that they were asked, by their ids.
    asked: BTreeSet<(u32, u32)>,
}

impl DeviceGuard {
    /// None where there is nothing to look for.
    pub(super) fn new(policy: &ChannelPolicy) -> Option<Self> {
        let is_open =
            policy.drives == super::Direction::Both && policy.printers && policy.smart_cards && policy.ports;
        let guard = Self { policy: policy.clone(), devices: BTreeMap::new(), asked: BTreeSet::new() };
        (!is_open).then_some(guard)
    }

    fn allows(&self, kind: Kind) -> bool {
        match kind {
            Kind::Port => self.policy.ports,
            Kind::Printer => self.policy.printers,
            Kind::Drive => self.policy.drives != super::Direction::None,
            Kind::SmartCard => self.policy.smart_cards,
        }
    }

    /// DR_CORE_DEVICELIST_ANNOUNCE_REQ (2.2.2.9), DR_DEVICELIST_ANNOUNCE (2.2.3.1)
    fn announce(&mut self, list: &[u8]) -> Judgement {
        let Ok(devices) = announced(list) else { return Judgement::Drop };
        let kept: Vec<_> = devices.into_iter().filter(|device| self.admit(device)).map(|it| it.raw).collect();
        passed_on(header::DEVICE_LIST_ANNOUNCE, list, &kept)
    }

    /// Whether the host hears of a device.
    fn admit(&mut self, device: &Announced<'_>) -> bool {
        let Some(kind) = device.kind.filter(|kind| self.allows(*kind)) else { return false };
        let has_room = self.devices.len() < DEVICES_MAX;
        match self.devices.entry(device.id) {
            Entry::Vacant(free) if has_room => free.insert(Device { kind, is_there: true }),
            Entry::Occupied(known) if known.get().kind == kind => known.into_mut(),
            _ => return false,
        }
        .is_there = true;
        true
    }

    /// DR_DEVICELIST_REMOVE (2.2.3.2)
    fn remove(&mut self, list: &[u8]) -> Judgement {
        let Ok(ids) = removed(list) else { return Judgement::Drop };
        let mut kept = Vec::new();
        for raw in ids {
            if let Some(device) = self.devices.get_mut(&u32::from_le_bytes(*raw)) {
                device.is_there = false;
                kept.push(&raw[..]);
            }
        }
        passed_on(header::DEVICE_LIST_REMOVE, list, &kept)
    }

    /// DR_DEVICE_IOREQUEST (2.2.1.4)
    fn question(&mut self, body: &[u8]) -> Judgement {
        let Some(request) = Request::read(body) else { return Judgement::More };
        let kind = self.devices.get(&request.device).filter(|device| device.is_there).map(|it| it.kind);
        let may_pass = match kind {
            None => false,
            Some(Kind::Drive) => match request.may_pass_to_drive(self.policy.drives) {
                Some(may_pass) => may_pass,
                None => return Judgement::More,
            },
            Some(Kind::Printer) => request.is_printing(),
            Some(Kind::SmartCard | Kind::Port) => true,
        };
        let asked = (request.device, request.completion);
        if may_pass && self.asked.len() < ASKED_MAX {
            self.asked.insert(asked);
            return Judgement::Pass;
        }
        self.asked.remove(&asked);
        Judgement::Answer([&header::IO_COMPLETION[..], &request.denial()].concat())
    }

    /// DR_DEVICE_IOCOMPLETION (2.2.1.5)
    fn answer(&mut self, body: &[u8]) -> Judgement {
        let mut reader = Reader::new(body);
        let (Ok(device), Ok(completion)) = (reader.u32_le(), reader.u32_le()) else {
            return Judgement::More;
        };
        if self.asked.remove(&(device, completion)) { Judgement::Pass } else { Judgement::Drop }
    }
}

impl Guard for DeviceGuard {
    fn beginning_max(&self) -> usize {
        LIST_BYTES_MAX
    }

    fn judge(&mut self, from: Party, message: &Beginning<'_>) -> Judgement {
        let Some((header, body)) = message.bytes.split_first_chunk::<4>() else { return Judgement::More };
        match (from, *header) {
            (Party::Host, header::SERVER_ANNOUNCE) => {
                // The host begins anew, and knows of no device.
                self.devices.clear();
                self.asked.clear();
                Judgement::Pass
            }
            (
                Party::Host,
                header::CLIENT_ID_CONFIRM
                | header::SERVER_CAPABILITY
                | header::USER_LOGGED_ON
                | header::DEVICE_REPLY,
            ) => Judgement::Pass,
            (Party::Host, header::IO_REQUEST) => self.question(body),
            (Party::Host, [low, high, ..]) if [low, high] == header::PRINTER && self.policy.printers => {
                Judgement::Pass
            }
            (Party::Client, header::CLIENT_ID_CONFIRM | header::CLIENT_NAME | header::CLIENT_CAPABILITY) => {
                Judgement::Pass
            }
            (Party::Client, header::DEVICE_LIST_ANNOUNCE | header::DEVICE_LIST_REMOVE)
                if !message.is_whole() =>
            {
                Judgement::More
            }
            (Party::Client, header::DEVICE_LIST_ANNOUNCE) => self.announce(body),
            (Party::Client, header::DEVICE_LIST_REMOVE) => self.remove(body),
            (Party::Client, header::IO_COMPLETION) => self.answer(body),
            _ => Judgement::Drop,
        }
    }
}

/// A device in a list.
struct Announced<'a> {
    id: u32,
    kind: Option<Kind>,
    raw: &'a [u8],
}

/// The devices of a list: their number, then one after the other.
fn announced(list: &[u8]) -> Result<Vec<Announced<'_>>, Malformed> {
    let mut reader = Reader::new(list);
    let count = reader.u32_le()?;
    let mut devices = Vec::new();
    for _ in 0..count {
        let start = reader.position();
        let (device_type, id) = (reader.u32_le()?, reader.u32_le()?);
        reader.take(DEVICE_BYTES - 12)?; // PreferredDosName
        let data = reader.u32_le()?;
        reader.take(usize::try_from(data).unwrap_or(usize::MAX))?;
        let raw = &list[start..reader.position()];
        devices.push(Announced { id, kind: Kind::of(device_type), raw });
    }
    Ok(devices)
}

/// The ids of a list: their number, then one after the other.
fn removed(list: &[u8]) -> Result<&[[u8; 4]], Malformed> {
    let mut reader = Reader::new(list);
    let count = usize::try_from(reader.u32_le()?).unwrap_or(usize::MAX);
    let ids = reader.take(count.saturating_mul(4))?;
    Ok(ids.as_chunks().0)
}

/// A list with what is kept of it.
fn passed_on(header: header::Header, list: &[u8], kept: &[&[u8]]) -> Judgement {
    // No more than there were in the list.
    let count = u32::try_from(kept.len()).unwrap_or(0).to_le_bytes();
    let body = [&count[..], &kept.concat()].concat();
    if body == list { Judgement::Pass } else { Judgement::Replace([&header[..], &body].concat()) }
}

#[cfg(test)]
mod tests;
