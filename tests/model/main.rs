//! A small world in which lock, run, queue and revocation are explored in every order of their transactions, with
//! every process dying or being paused past its lease at every step. What is a pure function of the program is that
//! function here too.

mod abort;
mod counter;
mod drain;
mod flawed;
mod legacy;
mod oracle;
mod protocol;
mod requests;
mod runner;
mod sound;
mod world;
mod worlds;
