//! What a WebAssembly module asks its page for.
//!
//! Only as much of the binary format is read as that takes: sections, and the section of imports
//! (<https://webassembly.github.io/spec/core/binary/modules.html>).

use anyhow::{Context, Result, ensure};

/// The number of the section of imports.
const IMPORTS: u8 = 2;

/// Every import of a module, as `module.name`.
///
/// # Errors
/// Bytes that are no WebAssembly module, or end before their time.
pub fn imports(module: &[u8]) -> Result<Vec<String>> {
    let rest = module.strip_prefix(b"\0asm\x01\0\0\0");
    let mut rest = Reader(rest.context("this is no WebAssembly module of version 1")?);
    while !rest.0.is_empty() {
        let section = rest.byte()?;
        let length = rest.number()?;
        let mut content = Reader(rest.take(length)?);
        if section == IMPORTS {
            let count = content.number()?;
            return (0..count).map(|_| content.import()).collect();
        }
    }
    Ok(Vec::new())
}

/// Bytes that were not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        ensure!(count <= self.0.len(), "the module is cut off");
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// A number of 32 bits in LEB128: seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<usize> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(usize::try_from(number)?);
            }
        }
        anyhow::bail!("a number of the module is too long")
    }

    fn name(&mut self) -> Result<String> {
        let length = self.number()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn import(&mut self) -> Result<String> {
        let import = format!("{}.{}", self.name()?, self.name()?);
        match self.byte()? {
            // A function, by the number of its type.
            0 => drop(self.number()?),
            // A table: what it holds, then its limits.
            1 => {
                self.byte()?;
                self.limits()?;
            }
            // A memory.
            2 => self.limits()?,
            // A global: its type, and whether it changes.
            3 => drop(self.take(2)?),
            // An exception's tag: an attribute, and the number of its type.
            4 => {
                self.byte()?;
                self.number()?;
            }
            kind => anyhow::bail!("an import of the unknown kind {kind}: {import}"),
        }
        Ok(import)
    }

    fn limits(&mut self) -> Result<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 == 1 {
            self.number()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with these sections: number and content.
    fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        for (number, content) in sections {
            bytes.push(*number);
            // In two bytes, as compilers write lengths that they fill in later.
            bytes.extend([content.len() as u8 | 0x80, 0]);
            bytes.extend_from_slice(content);
        }
        bytes
    }

    #[test]
    fn each_kind_of_import_is_named() {
        let content = [
            &[5][..],
            b"\x03env\x05clock\x00\x81\x01",
            b"\x03env\x05table\x01\x70\x01\x01\x05",
            b"\x03env\x06memory\x02\x00\x11",
            b"\x03env\x05level\x03\x7f\x01",
            b"\x03env\x03tag\x04\x00\x00",
        ]
        .concat();
        let module = module(&[(0, b"\x04name"), (1, b"\x01\x60\0\0"), (2, &content), (3, b"\0")]);
        let found = imports(&module).unwrap();
        assert_eq!(found, ["env.clock", "env.table", "env.memory", "env.level", "env.tag"]);
    }

    #[test]
    fn a_module_without_imports_has_none() {
        assert_eq!(imports(&module(&[(1, b"\x01\x60\0\0"), (3, b"\0")])).unwrap(), [""; 0]);
        assert_eq!(imports(&module(&[(2, b"\0")])).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let refused = |bytes: &[u8]| imports(bytes).unwrap_err().to_string();
        assert_eq!(refused(b"<!DOCTYPE html>"), "this is no WebAssembly module of version 1");
        let whole = module(&[(2, b"\x01\x03env\x05clock\x00\x01")]);
        for end in 9..whole.len() {
            assert_eq!(refused(&whole[..end]), "the module is cut off");
        }
        let kind = module(&[(2, b"\x01\x01a\x01b\x09")]);
        assert_eq!(refused(&kind), "an import of the unknown kind 9: a.b");
        let long = module(&[(2, b"\xff\xff\xff\xff\xff\x01")]);
        assert_eq!(refused(&long), "a number of the module is too long");
    }
}
