//! For maintainers: writes every sample of every page into a folder, to be looked at.
//!
//!     cargo run -p homecoming --example pages -- FOLDER

use std::path::Path;

use server::{assets, web};

fn main() -> std::io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target/pages".into());
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets"))?;
    for asset in assets::all() {
        std::fs::write(folder.join(asset.path.trim_start_matches('/')), asset.bytes)?;
    }
    let pages = web::samples::every_page();
    for page in &pages {
        let html = page.html.replace("\"/assets/", "\"assets/");
        std::fs::write(
            folder.join(format!("{}-{}.html", page.page, page.name)),
            html,
        )?;
    }
    println!("{} pages in {}", pages.len(), folder.display());
    Ok(())
}
