//! Lines for the log, shown with the recipe's name before them.

use crate::host::log::emit;
use crate::wit::log::Level;

/// What is of interest to the recipe's author only.
pub fn trace(message: impl AsRef<str>) {
    emit(Level::Trace, message.as_ref());
}

/// What helps to find a fault.
pub fn debug(message: impl AsRef<str>) {
    emit(Level::Debug, message.as_ref());
}

/// What goes on.
pub fn info(message: impl AsRef<str>) {
    emit(Level::Info, message.as_ref());
}

/// What is probably not meant to be so.
pub fn warn(message: impl AsRef<str>) {
    emit(Level::Warn, message.as_ref());
}

/// What went wrong.
pub fn error(message: impl AsRef<str>) {
    emit(Level::Error, message.as_ref());
}
