//! Starts the application in the browser's page.

fn main() {
    ocim_web::start();
}
