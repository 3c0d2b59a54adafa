// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What the workloads read: files that Debian ships, or, where they are absent, generated ones of the same kind.
enum Input {
  static let languagesPath = "/usr/share/iso-codes/json/iso_639-3.json"
  static let licensesPath = "/usr/share/common-licenses"

  /// Whether the files are there; the licences are on every Debian.
  static var isReal: Bool {
    FileManager.default.isReadableFile(atPath: languagesPath)
  }

  /// A JSON file of at least 500 KB: ISO 639-3 of Debian's iso-codes.
  static func languages() throws -> Data {
    if let data = FileManager.default.contents(atPath: languagesPath) { return data }
    return try JSONEncoder().encode(generatedLanguages())
  }

  /// English texts: the licences that every Debian has, then the names of the languages.
  static func texts() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: licensesPath))?.sorted() ?? []
    let licenses = names.compactMap { FileManager.default.contents(atPath: "\(licensesPath)/\($0)") }
    let languages = (try? JSONDecoder().decode(JSONRoundTrip.Catalogue.self, from: Input.languages()))?.languages ?? []
    return licenses.map { String(decoding: $0, as: UTF8.self) } + [languages.map(\.name).joined(separator: "\n")]
  }

  /// As many languages as the real file has, with made-up names; the same at every call.
  static func generatedLanguages() -> JSONRoundTrip.Catalogue {
    let syllables = "ka lo mi ta ru nen shi ba ngo vel dra pu é ya quin os".split(separator: " ")
    var state: UInt64 = 639
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    let languages = (0..<7_900).map { number in
      let name = (0..<(2 + random(5))).map { _ in syllables[random(syllables.count)] }.joined()
      return JSONRoundTrip.Language(
        alpha2: nil, alpha3: String([letters[number / 676 % 26], letters[number / 26 % 26], letters[number % 26]]),
        bibliographic: nil, commonName: nil, invertedName: random(5) == 0 ? "\(name), Northern" : nil,
        name: "\(name.capitalized) \(number % 7 == 0 ? "Sign Language" : "")", scope: "I", type: "L")
    }
    return JSONRoundTrip.Catalogue(languages: languages)
  }
}
