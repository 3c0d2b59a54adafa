// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension Census {
  /// The census as a JSON object. Bytes and objects are numbers; standard errors stand beside those that are estimated, and changes where there
  /// is an earlier census.
  ///
  /// ```
  /// {"version":1,"headline":"…","exact":true,"allocator":"nest","seconds":0.017,"secondsSince":60.0,
  ///  "total":{"bytes":…,"objects":…,"bytesChange":…,"objectsChange":…},
  ///  "types":[{"type":"Server.Session","bytes":…,"objects":…,"bytesChange":…,"objectsChange":…},…],
  ///  "sizes":[{"upToBytes":112,"bytes":…,"objects":…,…},…],"notes":["…"]}
  /// ```
  public var json: String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("version", 1)
      writer.member("headline", headline)
      writer.member("exact", isExact)
      writer.member("allocator", allocator)
      writer.member("seconds", seconds)
      writer.member("secondsSince", secondsSince)
      if !isExact {
        writer.member("samples", samples)
        writer.member("interval", interval)
        writer.member("profiledSeconds", profiledSeconds)
      }
      writer.object("total") { write(Group(live: total, change: totalChange), &$0) }
      writer.array("types") { writer in
        for row in rows where row.isType {
          writer.object {
            $0.member("type", row.name)
            write(row.group, &$0)
          }
        }
      }
      writer.array("sizes") { writer in
        for (size, group) in sizes.sorted(by: { $0.key < $1.key }) {
          writer.object {
            $0.member("upToBytes", size)
            write(group, &$0)
          }
        }
      }
      writer.array("notes") { writer in for note in notes { writer.element(note) } }
    }
    return writer.text
  }

  private func write(_ group: Group, _ writer: inout JSONWriter) {
    func write(_ name: String, _ estimate: HeapProfile.Estimate) {
      writer.member(name, Int(estimate.value.rounded()))
      if !isExact { writer.member("\(name)Error", estimate.standardError) }
    }
    write("bytes", group.live.bytes)
    write("objects", group.live.objects)
    if let change = group.change {
      write("bytesChange", change.bytes)
      write("objectsChange", change.objects)
    }
  }
}
