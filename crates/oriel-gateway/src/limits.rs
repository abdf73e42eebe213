//! Every limit and deadline of the gateway, each with where its number comes from. Limits of the
//! listeners themselves (TLS handshakes, connections per address, request heads) are `oriel-net`'s,
//! those of RDP messages `oriel-rdp`'s.

use std::time::Duration;

/// WebSockets that have not shown a good ticket yet. Each costs one task, one TLS session and at most
/// [`OPENING_BYTES_MAX`]: about 30 MiB if all of them are hostile. 1,000 users who open something in
/// the same second still fit, since a good one needs milliseconds.
pub const UNAUTHENTICATED_MAX: usize = 1_024;

/// The same from one address. An office behind one address opens its sessions in the morning; a
/// browser that restores its tabs opens a dozen at once.
pub const UNAUTHENTICATED_PER_ADDRESS_MAX: usize = 64;

/// How long a WebSocket may stay without a whole RDCleanPath request. The page sends it with its
/// first round trip; ten seconds are several lost packets on a bad mobile network.
pub const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest opening message, in bytes.
pub const OPENING_BYTES_MAX: usize = oriel_rdp::clean_path::MAX_REQUEST_BYTES;

/// How long connecting to a host may take, however many addresses its name has: two lost SYN packets
/// at two of them. The user is waiting.
pub const HOST_CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long the host may take for its X.224 answer and the TLS handshake. A Windows host that has to
/// page in its RDP service needs seconds.
pub const HOST_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest X.224 Connection Confirm, in bytes. It has 19; some hosts add a few.
pub const CONFIRM_BYTES_MAX: usize = 512;

/// How long the connection sequence may take from Connect-Initial to Client Info, in all. It is about
/// a dozen round trips from browser to host, one for each channel: 30 seconds allow two each.
pub const SEQUENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes that either side may send during the connection sequence. Some 40 messages of less
/// than 500 bytes each are usual.
pub const SEQUENCE_BYTES_MAX: u64 = 256 * 1024;

/// How long one batch (at most [`BATCH_BYTES`] and one message) may take to be written. Whoever takes
/// less than one kilobyte per second has gone, or cannot use the session.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes read at once from either side: one full TLS record. The buffer exists only while something
/// is being moved.
pub const READ_BYTES: usize = 16 * 1024;

/// A batch is written when it has this many bytes, even if there is more to come: two full TLS
/// records per system call.
pub const BATCH_BYTES: usize = 32 * 1024;

/// The same as a number of messages: each takes some 60 bytes to keep track of.
pub const BATCH_MESSAGES: usize = 256;

/// Answers of the channel filter that wait for one side to be written to, each of some 40 bytes. A host opens
/// about ten dynamic channels at once.
pub const ANSWERS_MAX: usize = 64;

/// How often a browser is pinged: for the round trip, and to see whether it is there. A ping and its answer
/// are some 150 bytes with all that carries them; and this is far below the 60 seconds after which common load
/// balancers forget an idle connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A ping that has no answer after this long will have none: until then there is no second one, so whoever
/// does not answer is hardly asked. A network with such a round trip is none to work with.
pub const PING_PATIENCE: Duration = Duration::from_secs(20);

/// A browser that has not sent anything, not even the answer to a ping, for this long is gone: two
/// pings were lost. The session goes on without it.
pub const BROWSER_SILENCE_MAX: Duration = Duration::from_secs(50);

/// How often brokers are told what was measured of connections, where it has changed: what people can follow,
/// and for 5,000 busy connections some 120 kB per second.
pub const MEASURES_INTERVAL: Duration = Duration::from_secs(5);

/// Connections in one message of measures: each takes up to 100 bytes.
pub const MEASURES_PER_MESSAGE: usize = 1_000;

/// How long the end of a connection may take on either side: flush, close frame, close_notify.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Connection ids of used tickets that are remembered until the ticket expires. At one-minute
/// tickets: 1,000 launches per second.
pub const REPLAY_MAX: usize = 65_536;

/// How far a broker's clock may be ahead of this one's: a ticket that expires later than its
/// lifetime and this from now would have to be remembered for longer than the replay cache plans.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(300);

/// Whole time for a portal call that is passed on: the longest is the wait for the end of
/// a connection (20 s); a launch may ask several hosts.
pub const PORTAL_CALL_TIMEOUT: Duration = Duration::from_secs(40);

/// How long a browser may take to send the body of a portal call: the largest real one is 2 KiB.
pub const PORTAL_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer of a broker that is passed on, in bytes: ten thousand resources, or an icon.
pub const PORTAL_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Portal calls passed on at the same time. Each holds at most a request of 64 KiB and an answer of
/// [`PORTAL_ANSWER_BYTES_MAX`]; a broker answers some thousands per second, so more than this waiting
/// means that it is stuck. Pages that wait for the end of a connection count for up to 20 seconds.
pub const PORTAL_CALLS_MAX: usize = 2_048;

/// The same from one address: a quarter, so that nobody alone can keep the others from the portal, with
/// bodies that never end or with waits. Room for an office behind one address, or for all who come
/// through a balancer that hides them.
pub const PORTAL_CALLS_PER_ADDRESS_MAX: usize = 512;

/// How long a broker may take from the call to its first message, its settings.
pub const ATTACH_TIMEOUT: Duration = Duration::from_secs(10);

/// The first and the longest delay before a lost link is opened again. A broker that comes back may
/// have new ticket keys; gateways are few, so they may all come within seconds.
pub const LINK_RETRY: Duration = Duration::from_millis(250);
/// See [`LINK_RETRY`].
pub const LINK_RETRY_CAP: Duration = Duration::from_secs(5);

/// How often the gateway reports to its brokers; also what tells them that it lives.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Opened and closed connections remembered for brokers that are away for a moment. A broker that
/// missed more learns the living ones from the next hello.
pub const JOURNAL_MAX: usize = 4_096;

/// Messages on their way to one broker. More wait in the journal.
pub const LINK_QUEUE: usize = 64;

/// Ticket keys taken from one broker: the current one and a few that tickets may still be sealed with.
pub const TICKET_KEYS_MAX: usize = 16;

/// Addresses at which users may be sent to other gateways: they all stand in a header of every page, of which
/// browsers and proxies take eight kilobytes.
pub const FARM_ADDRESSES_MAX: usize = 64;

/// Ticket keys of a lost broker are wiped after this long. Every ticket that it sealed has expired.
pub const LOST_BROKER_KEY_GRACE: Duration = Duration::from_secs(300);

/// After the drain's deadline, how long closing and telling the brokers may take.
pub const CLOSING_GRACE: Duration = Duration::from_secs(5);

/// How long the drain lasts if the node's file says nothing: long enough to finish a sentence, short
/// enough for a restart by hand.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(30);
