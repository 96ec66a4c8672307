//! Turns the shard of one order into bytes and back: the rank of each document, as a varint.

use super::{malformed, numbers};
use crate::error::BundleError;
use crate::order::Order;
use crate::shard::Family;

const ROLE: &str = Family::Orders.as_str();

pub(super) fn read(bytes: &[u8], n_documents: usize) -> Result<Order, BundleError> {
    let places = numbers(ROLE, "places of documents", bytes)?;
    if places.len() == n_documents {
        Ok(Order { places })
    } else {
        let found = places.len();
        Err(malformed(ROLE, "number of documents", n_documents, found))
    }
}

#[cfg(feature = "build")]
pub(super) fn write(order: &Order) -> Vec<u8> {
    super::write::varints(order.places.iter().copied())
}
