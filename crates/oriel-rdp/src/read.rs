//! A reader over untrusted bytes that never panics. What is wrong is named by a short clause that
//! completes the sentence "the client's Client Info is malformed: …".

/// Why bytes could not be read as what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

const TRUNCATED: Malformed = Malformed("it ends too early");

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Starts at `position`, which may lie behind the end: then the first read fails.
    pub(crate) fn at(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.checked_add(count).ok_or(TRUNCATED)?;
        let taken = self.bytes.get(self.position..end).ok_or(TRUNCATED)?;
        self.position = end;
        Ok(taken)
    }

    pub(crate) fn expect(&mut self, wanted: &[u8], otherwise: &'static str) -> Result<(), Malformed> {
        if self.take(wanted.len())? == wanted { Ok(()) } else { Err(Malformed(otherwise)) }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16_be(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16_le(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32_le(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| TRUNCATED)
    }

    /// Reads a definite BER length of at most two length bytes, which covers every RDP message.
    pub(crate) fn ber_length(&mut self) -> Result<usize, Malformed> {
        match self.u8()? {
            short @ 0..=0x7f => Ok(usize::from(short)),
            0x81 => Ok(usize::from(self.u8()?)),
            0x82 => Ok(usize::from(self.u16_be()?)),
            _ => Err(Malformed("it has a BER length that RDP does not use")),
        }
    }

    /// Reads one BER element with the given tag and returns its content.
    pub(crate) fn ber_element(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        self.expect(&[tag], "its BER elements are not the expected ones")?;
        let length = self.ber_length()?;
        self.take(length)
    }

    /// Reads an aligned PER length below 16 Ki and tells whether it was in the two-byte form.
    pub(crate) fn per_length(&mut self) -> Result<(usize, bool), Malformed> {
        let first = self.u8()?;
        match first & 0xc0 {
            0x80 => Ok((usize::from(first & 0x3f) << 8 | usize::from(self.u8()?), true)),
            0xc0 => Err(Malformed("it is a PER fragment")),
            _ => Ok((usize::from(first), false)),
        }
    }
}
