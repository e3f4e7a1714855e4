-- casts: how a value of a log becomes a value of the canonical record, whatever type it came in.
-- Each macro gives NULL where the value cannot be read; canonical.py tells that apart from an absent one.
-- Loaded once into the database behind all readers; session.sql sets what each connection needs.

-- Almost every text begins with a visible ASCII character: that is decided by its first bytes alone.
CREATE MACRO is_blank(t) AS
    CASE WHEN t >= '!' AND t <= '~' THEN false ELSE trim(t, blank_characters()) = '' END;

-- Nearly every line of JSON begins with its brace: trimming, which looks for each character among the blanks, is
-- for the others.
CREATE MACRO begins_object(t) AS
    CASE WHEN starts_with(t, '{') THEN true ELSE starts_with(ltrim(t, concat(' ', chr(9))), '{') END;

-- A text that is anything but this one. A list of one gives a value a name: what a macro names twice is worked out
-- twice, as in nullif.
CREATE MACRO unless_it_is(t, word) AS list_filter([t], lambda x: x <> word)[1];

CREATE MACRO text_or_null(t) AS CASE WHEN is_blank(t) THEN NULL ELSE t END;

-- 12, 12.0 and 1.2e1 are whole, 12.5 is not: a bare cast would round it.
CREATE MACRO whole_of_double(d) AS
    CASE WHEN d = floor(d) AND d >= -9.2e18 AND d <= 9.2e18 THEN TRY_CAST(d AS BIGINT) END;
CREATE MACRO whole_of_text(t) AS
    CASE WHEN TRY_CAST(t AS DOUBLE) = TRY_CAST(t AS BIGINT) THEN TRY_CAST(t AS BIGINT) END;

-- There is something in the text that a cast should have been able to read.
CREATE MACRO is_written(t) AS t IS NOT NULL AND NOT is_blank(t) AND lower(trim(t)) <> 'nan';

-- pandas writes a missing number as NaN, so NaN is absent.
-- Not isnan(): over a Parquet column DuckDB decides that by the column's statistics, which leave NaN out.
CREATE MACRO is_nan(d) AS NOT isfinite(d) AND d <> 'inf'::DOUBLE AND d <> '-inf'::DOUBLE;
CREATE MACRO nan_to_null(d) AS CASE WHEN is_nan(d) THEN NULL ELSE d END;

-- What a division by zero gives is no number of anything.
CREATE MACRO finite_or_null(d) AS list_filter([d], lambda x: isfinite(x))[1];

CREATE MACRO truth_of_text(t) AS
    CASE lower(trim(t)) WHEN 'true' THEN true WHEN '1' THEN true
                        WHEN 'false' THEN false WHEN '0' THEN false END;
CREATE MACRO truth_of_whole(n) AS CASE n WHEN 1 THEN true WHEN 0 THEN false END;

-- Epoch numbers tell their unit by size: for 2020 to 2100 the four ranges lie three digits apart.
CREATE MACRO us_of_whole(n) AS
    CASE WHEN n BETWEEN -100000000000 AND 100000000000 THEN n * 1000000
         WHEN n BETWEEN -100000000000000 AND 100000000000000 THEN n * 1000
         WHEN n BETWEEN -100000000000000000 AND 100000000000000000 THEN n
         ELSE n // 1000 END;
CREATE MACRO us_of_double(d) AS
    CASE WHEN d BETWEEN -1e11 AND 1e11 THEN TRY_CAST(round(d * 1e6) AS BIGINT)
         WHEN d BETWEEN -1e14 AND 1e14 THEN TRY_CAST(round(d * 1e3) AS BIGINT)
         WHEN d BETWEEN -1e17 AND 1e17 THEN TRY_CAST(round(d) AS BIGINT)
         WHEN d BETWEEN -9e18 AND 9e18 THEN TRY_CAST(round(d / 1e3) AS BIGINT) END;
CREATE MACRO us_of_instant(s) AS CASE WHEN isfinite(s) THEN epoch_us(s) END;
CREATE MACRO us_of_text(t) AS
    CASE WHEN TRY_CAST(t AS DOUBLE) IS NULL
              -- a second try in capitals: RFC 3339 allows a small t and z
              THEN us_of_instant(coalesce(TRY_CAST(t AS TIMESTAMPTZ), TRY_CAST(upper(t) AS TIMESTAMPTZ)))
         WHEN whole_of_text(t) IS NOT NULL THEN list_transform([whole_of_text(t)], lambda n: us_of_whole(n))[1]
         ELSE us_of_double(TRY_CAST(t AS DOUBLE)) END;

CREATE MACRO names_of_text(t) AS
    CASE WHEN json_valid(t) AND starts_with(ltrim(t), '[') THEN from_json(t, '["VARCHAR"]') END;
