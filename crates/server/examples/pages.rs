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
    let mut written = Vec::new();
    macro_rules! render {
        ($($module:ident),*) => {$(
            for (sample, context) in web::$module::samples() {
                let name = format!("{}-{sample}.html", stringify!($module));
                let html = web::$module::page(&context).into_string().replace("\"/assets/", "\"assets/");
                std::fs::write(folder.join(&name), html)?;
                written.push(name);
            }
        )*};
    }
    render!(
        sign_in,
        caseload,
        person,
        timelines,
        entry,
        erased,
        erasure,
        erasure_new,
        erasures,
        find,
        record,
        access,
        leaf,
        seen,
        error
    );
    println!("{} pages in {}", written.len(), folder.display());
    Ok(())
}
