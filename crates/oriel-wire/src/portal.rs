//! How a gateway passes a user's API call on to a broker: an HTTP request on the broker's gateway
//! port, under the same mutual TLS as the gRPC services. The broker believes these headers only from
//! a peer whose certificate says gateway; a gateway removes them from what browsers send.

/// Path prefix of the portal's API, on the gateway and on the broker alike.
pub const PATH_PREFIX: &str = "/api/portal/v1";

/// The IP address of the user's device, as the gateway sees it.
pub const CLIENT_ADDRESS_HEADER: &str = "oriel-client-address";

/// Set by the portal's pages on every request that changes something: a foreign site cannot.
pub const REQUEST_HEADER: &str = "oriel-request";

/// The cookie that holds the sealed sign-in.
pub const SIGN_IN_COOKIE: &str = "__Host-oriel";

/// Largest request body a gateway passes on, in bytes; the largest real one is a launch, under 2 KiB.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
