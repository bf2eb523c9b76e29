//! What a log serves: paths, tiles and bundles of entries, as tlog-tiles has them.

use tlog::entries::{BundleError, read_bundle, write_bundle};
use tlog::paths::{Shelf, TilePath};

#[test]
fn a_tile_has_one_path() {
    let hashes = Shelf::Hashes;
    let table = [
        (hashes(0), 0, 256, "tile/0/000"),
        (hashes(0), 0, 1, "tile/0/000.p/1"),
        (hashes(0), 999, 256, "tile/0/999"),
        (hashes(1), 1000, 256, "tile/1/x001/000"),
        (hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
        (hashes(63), 0, 255, "tile/63/000.p/255"),
        (
            Shelf::Entries,
            1_234_067,
            112,
            "tile/entries/x001/x234/067.p/112",
        ),
        (Shelf::Entries, 5, 256, "tile/entries/005"),
        (
            hashes(0),
            u64::MAX,
            256,
            "tile/0/x018/x446/x744/x073/x709/x551/615",
        ),
    ];
    for (shelf, index, width, path) in table {
        let tile = TilePath {
            shelf,
            index,
            width,
        };
        assert_eq!(tile.to_string(), path);
        assert_eq!(TilePath::parse(path), Some(tile));
        // Nothing near it is a path too, or it is another tile's.
        for at in 0..path.len() {
            for byte in 0..0x80 {
                let mut near = path.as_bytes().to_vec();
                near[at] = byte;
                let near = String::from_utf8(near).unwrap();
                if let Some(read) = TilePath::parse(&near) {
                    assert_eq!(read.to_string(), near);
                    assert_eq!(read == tile, near == path, "{near}");
                }
            }
            assert_ne!(TilePath::parse(&path[..at]), Some(tile));
        }
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let table = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/x/000",
        "tile/Entries/000",
        "tile/entries",
        "tile/0/x000/001",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/x001/x000",
        "tile/0/X001/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/01",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000.p/65536",
        "tile/0/000.q/1",
        "tile/0/ 00",
        "tile/0/٠٠٠",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/../000",
        "tile/0/000?x",
        "checkpoint",
    ];
    for path in table {
        assert_eq!(TilePath::parse(path), None, "{path}");
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
    let size = 70_000;
    let count = |shelf| {
        let tiles = (0..).map_while(|index| TilePath::at(shelf, index, size));
        let (full, partial): (Vec<_>, Vec<_>) = tiles.partition(|tile| tile.width == 256);
        (full.len(), partial.iter().map(|tile| tile.width).collect())
    };
    let table: [(Shelf, (usize, Vec<u16>)); 5] = [
        (Shelf::Hashes(0), (273, vec![112])),
        (Shelf::Hashes(1), (1, vec![17])),
        (Shelf::Hashes(2), (0, vec![1])),
        (Shelf::Hashes(3), (0, vec![])),
        (Shelf::Entries, (273, vec![112])),
    ];
    for (shelf, expected) in table {
        assert_eq!(count(shelf), expected, "{shelf:?}");
    }
    let path = |path| TilePath::parse(path).unwrap();
    for (tile, is_there) in [
        ("tile/0/273.p/112", true),
        ("tile/0/273.p/111", true),
        ("tile/0/273.p/113", false),
        ("tile/0/273", false),
        ("tile/0/272", true),
        ("tile/0/274.p/1", false),
        ("tile/entries/273.p/112", true),
        ("tile/2/000.p/1", true),
        ("tile/2/000.p/2", false),
        ("tile/63/000.p/1", false),
    ] {
        assert_eq!(path(tile).is_within(size), is_there, "{tile}");
    }
    let nothing = TilePath {
        shelf: Shelf::Entries,
        index: 0,
        width: 0,
    };
    assert!(!nothing.is_within(size));
    assert_eq!(TilePath::at(Shelf::Hashes(0), 0, 0), None);
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let long = vec![7; 65_535];
    let entries: [&[u8]; 4] = [b"", b"a", &long, b"hc1 4\n"];
    let bundle = write_bundle(entries).unwrap();
    assert_eq!(bundle[..5], [0, 0, 0, 1, b'a']);
    assert_eq!(bundle.len(), 65_542 + 8);
    assert_eq!(read_bundle(&bundle, 4), Ok(entries.to_vec()));
    assert_eq!(read_bundle(&[], 0), Ok(Vec::new()));
    let full = write_bundle([b"x".as_slice(); 256]).unwrap();
    assert_eq!(read_bundle(&full, 256).unwrap().len(), 256);

    let width = |expected, found| BundleError::Width { expected, found };
    assert_eq!(write_bundle([b"".as_slice(); 257]), Err(width(256, 257)));
    assert_eq!(read_bundle(&[0; 2 * 257], 256), Err(width(256, 257)));
    assert_eq!(read_bundle(&bundle, 3), Err(width(3, 4)));
    assert_eq!(read_bundle(&bundle, 5), Err(width(5, 4)));
    assert_eq!(read_bundle(&[], 1), Err(width(1, 0)));
    let longer = vec![7; 65_536];
    let too_long = BundleError::TooLong {
        number: 1,
        bytes: 65_536,
    };
    assert_eq!(write_bundle([b"".as_slice(), &longer]), Err(too_long));
    // Cut off anywhere: either an entry is, or there are too few.
    for at in 0..bundle.len() {
        let number = match at {
            0..2 => 0,
            2..5 => 1,
            5..65_542 => 2,
            _ => 3,
        };
        let refused = read_bundle(&bundle[..at], 4).unwrap_err();
        let is_between = [0, 2, 5, 65_542].contains(&at);
        if is_between {
            assert_eq!(
                refused,
                BundleError::Width {
                    expected: 4,
                    found: number
                }
            );
        } else {
            assert_eq!(refused, BundleError::CutOff { number }, "{at}");
        }
    }
}
