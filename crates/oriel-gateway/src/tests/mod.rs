//! A whole gateway on loopback, between a browser's client, a session host and a broker that are
//! played.

mod broker;
mod browser;
mod host;
mod picture;

mod bad_input;
mod clipboard;
mod devices;
mod farm;
mod measures;
mod quality;
mod relaying;
