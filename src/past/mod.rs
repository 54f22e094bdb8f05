//! What happened, asked afterwards: times as they are typed, the names that people have for what was killed, the story of an end,
//! and whether anybody was watching.

mod calendar;
pub mod coverage;
pub mod fairly;
pub mod moment;
pub mod output;
pub mod page;
pub mod patterns;
pub mod search;
pub mod size;
pub mod story;
pub mod target;
pub mod walk;
pub mod words;
