//! The gateways of a page: the files of the project, on the ports of this machine.

use std::{fs, path::Path};

use acceptance::{Addresses, GatewayKind};

use super::page::Page;
use crate::tree;

/// Whether the page's reader starts gateways.
pub fn are_in(page: &Page) -> bool {
    page.says(FILES)
}

/// Whether all of them can be started here.
pub fn are_here() -> bool {
    GatewayKind::ALL.iter().all(|kind| kind.part().or_skip())
}

/// Puts the files where the reader has them, and the programs into `bin`.
pub fn lay_out(directory: &Path, addresses: Addresses) {
    let bin = directory.join("bin");
    fs::create_dir(&bin).unwrap();
    for kind in GatewayKind::ALL {
        std::os::unix::fs::symlink(kind.program().unwrap(), bin.join(kind.name())).unwrap();
        let files = format!("{FILES}/{}", kind.name());
        fs::create_dir_all(directory.join(&files)).unwrap();
        for name in tree::names(&tree::root().join(&files)) {
            let file = format!("{files}/{name}");
            let text = fs::read_to_string(tree::root().join(&file)).unwrap();
            fs::write(directory.join(&file), addresses.put_into(&text)).unwrap();
        }
    }
}

const FILES: &str = "integrations/gateways";
