//! Starts the application in the browser.

fn main() {
    ocim_web::start();
}
