mod activate;
mod checks;
mod diff;
mod list;
mod logs;
mod logs_stream;
mod pin;
mod read;
