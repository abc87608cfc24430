//! Where model files are kept.

use crate::Result;
use std::fmt;
use std::path::PathBuf;

/// Where model files are kept, by name. It knows bytes, not models.
pub trait ModelRepository: Send + fmt::Debug {
    /// Stores a model file so that a crash leaves the old or the new one whole.
    ///
    /// # Errors
    /// If the name is not made of letters, digits, `_`, `-` and `.`, or the place cannot be written.
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Reads a model file; `None` if there is none of this name.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Moves an unreadable model file aside, never deleting it, and says where to; `None` if there was none.
    ///
    /// # Errors
    /// If it cannot be moved.
    fn set_aside(&mut self, name: &str) -> Result<Option<PathBuf>>;

    /// Reads what was saved under a name before: 1 `back` is what the newest replaced. `None` if so much is not kept,
    /// as nothing is by repositories that keep only the newest, which need not write this or what follows.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    fn load_older(&self, _name: &str, _back: usize) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Where nothing is stored under a name any more, makes the newest that was before what [`ModelRepository::load`]
    /// reads; says whether there was one.
    ///
    /// # Errors
    /// If it cannot be done.
    fn roll_back(&mut self, _name: &str) -> Result<bool> {
        Ok(false)
    }
}
