//! What a host asks of a device ([MS-RDPEFS] 2.2.1.4), and the refusal that it gets.

use super::super::Direction;
use crate::connection_sequence::Party;
use crate::read::Reader;

/// MajorFunction (2.2.1.4): IRP_MJ_CREATE and so on.
mod function {
    pub(super) const CREATE: u32 = 0x00;
    pub(super) const CLOSE: u32 = 0x02;
    pub(super) const READ: u32 = 0x03;
    pub(super) const WRITE: u32 = 0x04;
    pub(super) const QUERY_INFORMATION: u32 = 0x05;
    pub(super) const SET_INFORMATION: u32 = 0x06;
    pub(super) const QUERY_VOLUME_INFORMATION: u32 = 0x0a;
    pub(super) const SET_VOLUME_INFORMATION: u32 = 0x0b;
    pub(super) const DIRECTORY_CONTROL: u32 = 0x0c;
    pub(super) const LOCK_CONTROL: u32 = 0x11;
}

/// FILE_OPEN of CreateDisposition ([MS-SMB2] 2.2.13): only what is there. All others may make a file, or
/// empty it.
const OPEN: u32 = 1;

/// FILE_DELETE_ON_CLOSE of CreateOptions ([MS-SMB2] 2.2.13)
const DELETE_ON_CLOSE: u32 = 0x1000;

/// Rights to change something ([MS-SMB2] 2.2.13.1): FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_WRITE_EA,
/// FILE_DELETE_CHILD, FILE_WRITE_ATTRIBUTES, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL, GENERIC_WRITE.
/// MAXIMUM_ALLOWED is none of them: whoever has it may read, too, and what they write does not pass.
const CHANGES: u32 = 0x02 | 0x04 | 0x10 | 0x40 | 0x100 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x5000_0000;

/// STATUS_ACCESS_DENIED ([MS-ERREF] 2.3.1)
const ACCESS_DENIED: u32 = 0xc000_0022;

/// DR_DEVICE_IOREQUEST behind its header, as far as it is there.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) device: u32,
    pub(super) completion: u32,
    function: u32,
    parameters: &'a [u8],
}

impl<'a> Request<'a> {
    /// None: more is wanted.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let device = reader.u32_le().ok()?;
        reader.u32_le().ok()?; // file
        let completion = reader.u32_le().ok()?;
        let function = reader.u32_le().ok()?;
        reader.u32_le().ok()?; // minor function
        Some(Self { device, completion, function, parameters: &body[reader.position()..] })
    }

    /// Whether it may pass to a drive on which files go this way. None: more is wanted.
    pub(super) fn may_pass_to_drive(&self, direction: Direction) -> Option<bool> {
        use function::*;
        if direction == Direction::Both {
            return Some(true);
        }
        let may_write = direction.gives(Party::Host);
        match self.function {
            CREATE if may_write => Some(true),
            CREATE => self.only_opens(),
            READ => Some(direction.gives(Party::Client)),
            WRITE | SET_INFORMATION | SET_VOLUME_INFORMATION => Some(may_write),
            CLOSE | QUERY_INFORMATION | QUERY_VOLUME_INFORMATION | DIRECTORY_CONTROL | LOCK_CONTROL => {
                Some(true)
            }
            // Above all IRP_MJ_DEVICE_CONTROL (0x0e), in which anything may stand.
            _ => Some(false),
        }
    }

    /// Whether it is a part of printing: a printer is opened, written to and closed ([MS-RDPEPC] 1.3.2).
    pub(super) fn is_printing(&self) -> bool {
        matches!(self.function, function::CREATE | function::WRITE | function::CLOSE)
    }

    /// DR_CREATE_REQ (2.2.1.4.1): whether it changes nothing.
    fn only_opens(&self) -> Option<bool> {
        let mut reader = Reader::new(self.parameters);
        let access = reader.u32_le().ok()?;
        reader.take(16).ok()?; // AllocationSize, FileAttributes, SharedAccess
        let (disposition, options) = (reader.u32_le().ok()?, reader.u32_le().ok()?);
        Some(access & CHANGES == 0 && disposition == OPEN && options & DELETE_ON_CLOSE == 0)
    }

    /// DR_DEVICE_IOCOMPLETION (2.2.1.5) behind its header.
    pub(super) fn denial(&self) -> Vec<u8> {
        // No file, or nothing done; and behind it that nothing was made, or padding.
        let rest: &[u8] = match self.function {
            function::CREATE | function::WRITE => &[0; 5],
            _ => &[0; 4],
        };
        let fixed = [self.device, self.completion, ACCESS_DENIED].map(u32::to_le_bytes);
        [fixed.as_flattened(), rest].concat()
    }
}
