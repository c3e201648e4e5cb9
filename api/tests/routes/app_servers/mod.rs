mod activate;
mod checks;
mod list;
mod logs;
mod logs_stream;
mod read;
