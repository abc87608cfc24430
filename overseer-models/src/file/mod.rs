//! The stored form of a model.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the magic `OVSRMODL` |
//! | 4 | format version of this container, `u32` |
//! | 4 | length of the kind, then the kind: the model's name in the code, UTF-8 |
//! | 8 | [`Schema::fingerprint`] of what it was trained on |
//! | 8 | length of the metadata, then [`ModelMetadata`] as JSON |
//! | 8 | length of the payload, then the payload, which the model's module describes |
//! | 4 | CRC-32 (IEEE) of every byte before it |
//!
//! Everything is little-endian. Reading checks the checksum first and trusts no length.

mod codec;

pub use codec::{Reader, Writer};

use overseer_core::{Error, ModelMetadata, Result, Schema};

const MAGIC: &[u8; 8] = b"OVSRMODL";
/// The container's format version that [`encode`] writes.
pub const FORMAT_VERSION: u32 = 1;

/// Puts a model's payload into a container.
///
/// # Errors
/// If the metadata cannot be written as JSON.
pub fn encode(kind: &str, metadata: &ModelMetadata, payload: &[u8]) -> Result<Vec<u8>> {
    let json =
        serde_json::to_vec(metadata).map_err(|e| Error::other("writing a model's metadata", e))?;
    // Magic, version, length of the kind, fingerprint, two lengths, checksum.
    let fixed = MAGIC.len() + 4 + 4 + 8 + 8 + 8 + 4;
    let mut w = Writer::of_length(fixed + kind.len() + json.len() + payload.len());
    w.raw(MAGIC);
    w.u32(FORMAT_VERSION);
    w.u32(kind.len() as u32);
    w.raw(kind.as_bytes());
    w.u64(metadata.schema_fingerprint);
    w.u64(json.len() as u64);
    w.raw(&json);
    w.u64(payload.len() as u64);
    w.raw(payload);
    w.u32(crc32fast::hash(w.bytes()));
    Ok(w.into_bytes())
}

/// What a container holds, whatever kind of model that is and whatever it was trained on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contents<'a> {
    /// The model's name in the code.
    pub kind: &'a str,
    /// [`Schema::fingerprint`] of what it was trained on.
    pub schema_fingerprint: u64,
    /// What is known of the model.
    pub metadata: ModelMetadata,
    /// The model itself.
    pub payload: &'a [u8],
}

/// Takes a container apart after checking it, for who wants to know what it is.
///
/// # Errors
/// If a byte was changed, lost or added ([`Error::is_corrupt`]), or it is of a newer format.
pub fn inspect(bytes: &[u8]) -> Result<Contents<'_>> {
    Head::read(bytes)?.contents()
}

/// Takes a container apart after checking it: what is known of the model, and its payload.
///
/// # Errors
/// If a byte was changed, lost or added ([`Error::is_corrupt`]), if it holds another kind of model or a newer format,
/// or if it was trained on another schema ([`Error::is_schema_mismatch`]).
pub fn decode<'a>(
    bytes: &'a [u8],
    kind: &str,
    schema: &Schema,
) -> Result<(ModelMetadata, &'a [u8])> {
    let head = Head::read(bytes)?;
    let found = head.kind;
    if found != kind {
        return Err(Error::unsupported(format!("a `{found}` model where a `{kind}` is expected")));
    }
    if head.fingerprint != schema.fingerprint() {
        return Err(Error::schema_mismatch(
            format!("{:016x}", schema.fingerprint()),
            format!("{:016x}", head.fingerprint),
        ));
    }
    let contents = head.contents()?;
    Ok((contents.metadata, contents.payload))
}

fn corrupt(why: &str) -> Error {
    Error::corrupt("the model file", why)
}

/// What comes first in a container whose checksum matches, and what follows it.
struct Head<'a> {
    kind: &'a str,
    fingerprint: u64,
    rest: Reader<'a>,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let Some((body, checksum)) = bytes.split_last_chunk::<4>() else {
            return Err(corrupt("it is too short"));
        };
        let Some(rest) = body.strip_prefix(MAGIC) else {
            return Err(corrupt("it does not begin as a model file does"));
        };
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(corrupt("its checksum does not match"));
        }
        let mut rest = Reader::new(rest);
        let version = rest.u32()?;
        if version != FORMAT_VERSION {
            return Err(Error::unsupported(format!("model file format {version}")));
        }
        let length = rest.u32()? as usize;
        let kind = std::str::from_utf8(rest.raw(length)?)
            .map_err(|_| corrupt("its kind cannot be read"))?;
        Ok(Self { kind, fingerprint: rest.u64()?, rest })
    }

    fn contents(mut self) -> Result<Contents<'a>> {
        let r = &mut self.rest;
        let length = r.length()?;
        let metadata: ModelMetadata = serde_json::from_slice(r.raw(length)?)
            .map_err(|_| corrupt("its metadata cannot be read"))?;
        // Stored again, it would be a model of what the metadata says.
        if metadata.schema_fingerprint != self.fingerprint {
            return Err(corrupt("its metadata is of another schema than it"));
        }
        let length = r.length()?;
        let payload = r.raw(length)?;
        self.rest.finish()?;
        let (kind, schema_fingerprint) = (self.kind, self.fingerprint);
        Ok(Contents { kind, schema_fingerprint, metadata, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::ModelKind;
    use proptest::prelude::*;

    fn stored(payload: &[u8]) -> (Schema, Vec<u8>) {
        let schema = Schema::from_names(["a", "b"]).unwrap();
        let mut meta = ModelMetadata::new("m", ModelKind::Detector, "test");
        meta.schema_fingerprint = schema.fingerprint();
        (schema, encode("test", &meta, payload).unwrap())
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let (schema, bytes) = stored(b"payload");
        let (meta, payload) = decode(&bytes, "test", &schema).unwrap();
        assert_eq!((meta.name.as_str(), payload), ("m", &b"payload"[..]));
        assert!(decode(&bytes, "other", &schema).is_err());
        let other = Schema::from_names(["a"]).unwrap();
        assert!(decode(&bytes, "test", &other).unwrap_err().is_schema_mismatch());
        let found = inspect(&bytes).unwrap();
        assert_eq!((found.kind, found.payload, found.metadata), ("test", payload, meta));
        assert_eq!(found.schema_fingerprint, schema.fingerprint());
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let (schema, bytes) = stored(&[7; 40]);
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1 << (i % 8);
            assert!(decode(&damaged, "test", &schema).is_err(), "byte {i}");
            assert!(inspect(&damaged).is_err(), "byte {i}");
            assert!(decode(&bytes[..i], "test", &schema).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn a_file_that_disagrees_with_itself_about_its_schema_is_refused() {
        let (schema, bytes) = stored(b"payload");
        let mut changed = bytes.clone();
        // A digit of the fingerprint in the metadata, and the checksum made right.
        let text = format!("{}", schema.fingerprint()).into_bytes();
        let at = bytes.windows(text.len()).position(|w| w == text).unwrap();
        changed[at + text.len() - 1] ^= 1;
        let end = changed.len() - 4;
        let checksum = crc32fast::hash(&changed[..end]);
        changed[end..].copy_from_slice(&checksum.to_le_bytes());
        assert!(decode(&changed, "test", &schema).unwrap_err().is_corrupt());
        assert!(inspect(&changed).unwrap_err().is_corrupt());
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let schema = Schema::from_names(["a"]).unwrap();
            prop_assert!(decode(&noise, "test", &schema).is_err() && inspect(&noise).is_err());
        }
    }
}
